from pathlib import Path
from typing import Any

import pytest

from tests.support.tiny_language import FILES, read, segment

LOOKUP = "source: products\nkind: lookup\nfrom: {files: data/products.csv}\nkey: id\ncolumns: {brand: string}\n"
TAKING = FILES["sources/clicks.yaml"] + "lookups: {products: {on: item, take: [brand]}}\n"
NEW = "segment: new\npurpose: ads\nwhen:\n  all:\n    - did: {event: bought, where: 'amount > 1', window: 7d}\n    - in_segment: buyers\n    - aggregate: {feature: buying.spend_30d, compare: '> 3'}\n"


def meaning(folder: Path, name: str = "new", **files: str) -> str:
    return read(folder, **{"segments_new": NEW, **files}).segments[name].meaning


@pytest.mark.parametrize(
    "files",
    [
        {"segments_new": NEW + "description: other\ntags: [a]\nowner: me\npublish: false\n"},
        {"segments_new": NEW.replace("7d", "1w").replace("amount > 1", "amount   >  1")},
        {"segments_new": NEW.replace("bought", "[bought]").replace("'amount > 1'", "\"(amount > 1)\"")},
        {"segments_new": NEW.replace("'> 3'", "'> 3.0'")},
        {"segments_new": NEW + "tests: [{name: a, expect: [{at: 1m, member: false}]}]\n"},
        {"segments_other": segment("{did: {event: x}}").replace("new", "other")},
        {"features_buying": FILES["features/buying.yaml"].replace("orders", "purchases")},
        {"features_buying": FILES["features/buying.yaml"].replace("features: buying", "description: x\nfeatures: buying")},
        {"purposes": FILES["purposes.yaml"].replace("{id: ads, basis: consent}", "{id: ads, basis: consent, description: x, channels: [email], retention: 30d}")},
        {"sources_clicks": FILES["sources/clicks.yaml"].replace("page: string", "page: string, size: int")},
        {"sources_clicks": FILES["sources/clicks.yaml"].replace("data/clicks", "elsewhere")},
        {"sources_clicks": FILES["sources/clicks.yaml"].replace("files: 'data/clicks/*.ndjson'", "kafka: {bootstrap: 'b:9092', topic: t}")},
        {"sources_clicks": FILES["sources/clicks.yaml"] + "on_late: drop\nmax_future_skew: 5m\n"},
        {"sources_more": FILES["sources/clicks.yaml"].replace("source: clicks", "source: more").replace("amount", "price")},
        {"segue": FILES["segue.yaml"].replace("warehouse'", "other'")},
    ],
)  # fmt: skip
def test_what_changes_no_answer_is_the_same_meaning(tmp_path: Path, files: dict[str, Any]) -> None:
    assert meaning(tmp_path / "a") == meaning(tmp_path / "b", **files)


@pytest.mark.parametrize(
    "files",
    [
        {"segments_new": NEW.replace("7d", "8d")},
        {"segments_new": NEW.replace("amount > 1", "amount >= 1")},
        {"segments_new": NEW.replace("  all:", "  any:")},
        {"segments_new": NEW.replace("purpose: ads", "purpose: [ads, care]")},
        {"segments_new": NEW + "population: {active_in: 90d}\n"},
        {"segments_buyers": FILES["segments/buyers.yaml"].replace("7d", "8d")},
        {"features_buying": FILES["features/buying.yaml"].replace("amount > 0", "amount > 1")},
        {"features_buying": FILES["features/buying.yaml"].replace("op: sum", "op: max")},
        {"purposes": FILES["purposes.yaml"].replace("basis: consent", "basis: consent, max_grant_age: 395d")},
        {"sources_clicks": FILES["sources/clicks.yaml"] + "allowed_lateness: 14d\n"},
        {"sources_clicks": FILES["sources/clicks.yaml"] + "max_future_skew: 6m\n"},
        {"sources_clicks": FILES["sources/clicks.yaml"].replace("decimal(12,2)", "decimal(14,2)")},
        {"sources_clicks": FILES["sources/clicks.yaml"].replace("amount: 'decimal(12,2)'", "amount: {from: total, type: 'decimal(12,2)'}")},
        {"sources_consents": FILES["sources/consents.yaml"] + "clock: trusted\n"},
        {"segue": FILES["segue.yaml"].replace("Europe/Berlin", "UTC")},
    ],
)  # fmt: skip
def test_what_may_change_an_answer_is_another_meaning(tmp_path: Path, files: dict[str, Any]) -> None:
    assert meaning(tmp_path / "a") != meaning(tmp_path / "b", **files)


def test_a_change_below_changes_only_what_lies_above(tmp_path: Path) -> None:
    other = segment("{did: {event: x}}").replace("new", "other")
    before = read(tmp_path / "a", segments_new=NEW, segments_other=other).segments
    after = read(
        tmp_path / "b",
        segments_new=NEW,
        segments_other=other,
        segments_buyers=FILES["segments/buyers.yaml"].replace("7d", "8d"),
    ).segments
    assert {name for name in before if before[name].meaning != after[name].meaning} == {"buyers", "new"}


def test_the_content_of_a_list_belongs_to_the_definition(tmp_path: Path) -> None:
    when = segment("{list: {file: lists/vip.csv, column: id}}")
    found = []
    for content in ("id\na\nb\n", "id\nb\na\na\n", "id\na\n"):
        (tmp_path / "lists").mkdir(exist_ok=True)
        (tmp_path / "lists" / "vip.csv").write_text(content)
        found.append(meaning(tmp_path, segments_new=when))
    assert found[0] == found[1] != found[2]


def test_the_content_of_a_lookup_belongs_to_the_definitions_that_use_it(tmp_path: Path) -> None:
    using = segment("{did: {event: x, where: \"brand = 'a'\"}}")
    found = []
    for content in ("id,brand\n1,a\n", "id,brand\n1,b\n"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "products.csv").write_text(content)
        project = read(tmp_path, segments_new=using, sources_products=LOOKUP, sources_clicks=TAKING)
        found.append((project.segments["new"].meaning, project.segments["buyers"].meaning, project.meaning))
    (using_before, other_before, all_before), (using_after, other_after, all_after) = found
    assert (using_before != using_after, other_before == other_after, all_before != all_after) == (True, True, True)


def test_columns_that_mean_the_same_are_equal_whatever_they_are_called(tmp_path: Path) -> None:
    twin = (
        FILES["features/buying.yaml"]
        .replace("features: buying", "features: twin")
        .replace("orders", "purchases")
        .replace("7d", "1w")
    )
    columns = read(tmp_path, features_twin=twin).feature_columns
    assert (
        columns["buying.orders_7d"].meaning
        == columns["twin.purchases_1w"].meaning
        != columns["twin.purchases_lifetime"].meaning
    )


@pytest.mark.parametrize(
    ("files", "same"),
    [
        ({"sources_clicks": FILES["sources/clicks.yaml"] + "description: x\n"}, True),
        ({"sources_clicks": FILES["sources/clicks.yaml"].replace("page: string", "page: string, size: int")}, False),
        ({"segments_buyers": FILES["segments/buyers.yaml"] + "publish: false\n"}, False),
        ({"features_buying": FILES["features/buying.yaml"].replace("windows: [30d]", "windows: [30d, 60d]")}, False),
    ],
)
def test_the_project_means_all_that_it_reads_and_publishes(tmp_path: Path, files: dict[str, Any], same: bool) -> None:
    assert (read(tmp_path / "a").meaning == read(tmp_path / "b", **files).meaning) is same
