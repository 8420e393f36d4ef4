from pathlib import Path
from typing import Any

import pytest

from schemas.definitions.composition import compositions, noted, read_noted
from schemas.definitions.difference import Difference, differ
from tests.support.tiny_language import FILES, read, segment

NEW = (
    "segment: new\npurpose: ads\nwhen:\n  all:\n    - did: {event: bought, where: 'amount > 1', window: 7d}\n"
    "    - in_segment: buyers\n    - not: {did: {event: seen}}\n"
)
LOOKUP = "source: products\nkind: lookup\nfrom: {files: data/products.csv}\nkey: id\ncolumns: {brand: string}\n"
TAKING = FILES["sources/clicks.yaml"] + "lookups: {products: {on: item, take: [brand]}}\n"
BRANDED = segment("{all: [{did: {event: x, where: \"brand = 'a'\"}}, {did: {event: y}}]}")
LISTED = segment("{any: [{list: {file: lists/vip.csv, column: id}}, {did: {event: y}}]}")
COUNTED, BUYERS, UNSEEN = "did bought where amount > 1, the last 7 days", "in_segment buyers", "did seen"


def edited(folder: Path, files: dict[str, str], before: dict[str, str] | None = None) -> Difference:
    """What an edit of the project makes of the segment `new`."""
    first = compositions(read(folder / "a", **{"segments_new": NEW, **(before or {})}))
    second = compositions(read(folder / "b", **{"segments_new": NEW, **(before or {}), **files}))
    published = {leaf.meaning for one in first.values() for leaf in one.leaves}
    return differ(first.get("new"), second.get("new"), published)


def told(found: Difference) -> dict[str, tuple[str, ...]]:
    """Each leaf that is not shared, with its change and the reasons."""
    return {one.leaf.rule: (one.change, *one.because) for one in found.leaves if one.change != "shared"}


@pytest.mark.parametrize(
    "files",
    [
        {"segments_new": "# a word\n" + NEW + "description: other\ntags: [a]\n"},
        {"segments_new": NEW.replace("7d", "1w").replace("amount > 1", "amount   >  1")},
        {"features_buying": FILES["features/buying.yaml"].replace("orders", "purchases")},
        {"sources_clicks": FILES["sources/clicks.yaml"].replace("page: string", "page: string, size: int")},
        {"sources_more": FILES["sources/clicks.yaml"].replace("source: clicks", "source: more").replace("amount", "price")},
    ],
)
def test_what_is_only_written_otherwise_shares_all_leaves(tmp_path: Path, files: dict[str, str]) -> None:
    found = edited(tmp_path, files)
    assert (told(found), found.because, len(found.leaves)) == ({}, (), 3)


@pytest.mark.parametrize(
    ("files", "leaves", "because"),
    [
        ({"segments_new": NEW.replace("amount > 1", "amount > 2")}, {COUNTED.replace("1", "2"): ("changed", "rule")}, ()),
        ({"segments_new": NEW.replace("seen", "met")}, {"did met": ("added",), UNSEEN: ("removed",)}, ()),
        ({"segments_new": NEW + "    - did: {event: met}\n"}, {"did met": ("added",)}, ()),
        ({"segments_new": NEW.replace("    - in_segment: buyers\n", "")}, {BUYERS: ("removed",)}, ()),
        ({"segments_new": NEW.replace("all:", "any:")}, {}, ("gates",)),
        ({"segments_new": NEW.replace("not: {did: {event: seen}}", "did: {event: seen}")}, {}, ("gates",)),
        ({"segments_new": NEW + "population: {active_in: 90d}\n"}, {}, ("population",)),
        ({"segments_new": NEW + "publish: false\n"}, {}, ("publish",)),
        ({"segments_buyers": FILES["segments/buyers.yaml"].replace("7d", "8d")}, {BUYERS: ("changed", "buyers")}, ()),
        (
            {"sources_clicks": FILES["sources/clicks.yaml"].replace("decimal(12,2)", "decimal(14,2)")},
            {COUNTED: ("changed", "column amount")},
            (),
        ),
    ],
)
def test_an_edit_touches_only_the_leaves_that_depend_on_it(
    tmp_path: Path, files: dict[str, str], leaves: dict[str, Any], because: tuple[str, ...]
) -> None:
    found = edited(tmp_path, files)
    assert (told(found), found.because) == (leaves, because)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"segments_new": NEW.replace("purpose: ads", "purpose: [ads, care]")}, "purpose care"),
        ({"segue": FILES["segue.yaml"].replace("Europe/Berlin", "UTC")}, "timezone"),
        ({"sources_clicks": FILES["sources/clicks.yaml"] + "allowed_lateness: 14d\n"}, "source clicks"),
    ],
)
def test_what_decides_which_facts_count_changes_every_leaf(tmp_path: Path, files: dict[str, str], why: str) -> None:
    found = edited(tmp_path, files)
    assert {one.change for one in found.leaves} == {"changed"}
    assert all(one.because[-1] == why for one in found.leaves) and found.because == (why,)


def test_a_row_of_a_lookup_changes_the_leaves_that_take_its_columns(tmp_path: Path) -> None:
    using = {"segments_new": BRANDED, "sources_products": LOOKUP, "sources_clicks": TAKING}
    for place, content in {"a": "id,brand\n1,a\n", "b": "id,brand\n1,b\n"}.items():
        (tmp_path / place / "data").mkdir(parents=True)
        (tmp_path / place / "data/products.csv").write_text(content)
    assert told(edited(tmp_path, {}, using)) == {"did x where brand = 'a'": ("changed", "column brand")}


def test_an_id_of_a_list_changes_the_leaf_that_reads_it(tmp_path: Path) -> None:
    for place, content in {"a": "id\nann\n", "b": "id\nbob\n"}.items():
        (tmp_path / place / "lists").mkdir(parents=True)
        (tmp_path / place / "lists/vip.csv").write_text(content)
    found = told(edited(tmp_path, {}, {"segments_new": LISTED}))
    assert [*found.values()] == [("changed", "lists/vip.csv")]


def test_a_leaf_that_another_segment_has_published_is_shared(tmp_path: Path) -> None:
    files = {"segments_new": NEW.replace("{event: seen}", "{event: bought, window: 7d}")}
    assert told(edited(tmp_path, files)) == {UNSEEN: ("removed",)}


def test_a_leaf_for_another_purpose_is_another_one(tmp_path: Path) -> None:
    files = {"segments_new": "segment: new\npurpose: [ads, care]\nwhen: {did: {event: bought, window: 7d}}\n"}
    assert told(edited(tmp_path, files, {"segments_new": ""})) == {"did bought, the last 7 days": ("added",)}


def test_what_a_run_notes_of_its_leaves_is_read_again(tmp_path: Path) -> None:
    found = compositions(read(tmp_path, segments_new=NEW))
    assert read_noted(noted(found)) == found
