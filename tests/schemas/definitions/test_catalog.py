from pathlib import Path
from typing import Any

import pytest

from schemas.definitions.catalog import read_project
from schemas.errors import DefinitionErrors
from tests.support.tiny_language import FILES, LANGUAGE, problems, read, segment, told, write


def test_a_project_without_a_mistake_is_read(tmp_path: Path) -> None:
    project = read(tmp_path)
    assert (list(project.segments), list(project.features), list(project.purposes)) == (
        ["buyers"],
        ["buying"],
        ["ads", "care"],
    )
    assert (
        str(project.event_columns["amount"]) == "decimal(12,2)" and str(project.profile_columns["birth_date"]) == "date"
    )


def test_all_problems_of_all_files_come_in_one_report(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        segue="name: Shop\ntargets: {dev: {warehouse: 'ducklake:w'}}",
        purposes="purposes: [{id: ads, basis: consent}, {id: care, basis: consnt}]",
        sources_more="source: more\nkind: events\nfrom: {files: x.csv}\nfields: {}\n",
        features_more="features: more\npurpose: ads\nsource: {event: x}\naggregates: [{name: a, op: sum, of: lat}]\n",
        segments_new=segment("{did: {event: x, where: 'page = 1'}}"),
        segments_broken="segment: [",
    )
    assert [(one.file, one.code) for one in found] == [
        ("features/more.yaml", "SEG-0208"),
        ("purposes.yaml", "SEG-0103"),
        ("segments/broken.yaml", "SEG-0003"),
        ("segments/new.yaml", "SEG-0205"),
        ("segue.yaml", "SEG-0104"),
        ("sources/more.yaml", "SEG-0408"),
        ("sources/more.yaml", "SEG-0408"),
        ("sources/more.yaml", "SEG-0408"),
    ]


def test_what_can_be_read_of_a_broken_segment_is_checked_too(tmp_path: Path) -> None:
    when = "{all: [{did: {event: x, where: 'pge = 1'}}, {in_segment: buyrs}, {nope: 1}, {property: {contry: is null}}]}"
    found = [
        (one.code, one.text[one.column - 1 :].split()[0]) for one in problems(tmp_path, segments_new=segment(when))
    ]
    assert found == [
        ("SEG-0304", "pge"), ("SEG-0302", "buyrs},"), ("SEG-0106", "nope:"), ("SEG-0305", "contry:"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [
        {"segments_buyers": "segment: buyers\npurpose: ads\nwhen: {nope: 1}\n", "segments_new": segment("{in_segment: buyers}")},
        {"features_buying": FILES["features/buying.yaml"].replace("windows: [7d", "windows: [7x"), "segments_new": segment("{aggregate: {feature: buying.orders_7d, compare: '> 1'}}")},
        {"sources_clicks": FILES["sources/clicks.yaml"].replace("kind: events", "kind: evnts"), "segments_new": segment("{did: {event: x, where: 'amount > 1'}}")},
        {"sources_people": FILES["sources/people.yaml"] + "payload: never\n", "segments_new": segment("{property: {country: is null}}")},
        {"purposes": "purposes: [{id: ads, basis: never}]"},
    ],
)  # fmt: skip
def test_a_definition_that_is_broken_is_told_once_and_not_by_those_that_name_it(tmp_path: Path, files: dict[str, Any]) -> None:
    assert len(problems(tmp_path, **files)) == 1


def test_a_pattern_without_files_is_a_warning(tmp_path: Path) -> None:
    warnings = read(tmp_path).warnings
    assert [(one.file, one.severity) for one in warnings if one.code == "SEG-0801"] == [
        ("sources/clicks.yaml", "warning"), ("sources/consents.yaml", "warning"), ("sources/people.yaml", "warning"),
    ]  # fmt: skip
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "people.csv").write_text("id,at\n")
    assert "sources/people.yaml" not in [one.file for one in read(tmp_path).warnings if one.code == "SEG-0801"]


def test_a_property_that_nothing_uses_is_a_warning(tmp_path: Path) -> None:
    unused = [
        one.message
        for one in read(tmp_path, segments_new=segment("{did: {event: x, where: vip, distinct: page}}")).warnings
        if one.code == "SEG-0802"
    ]
    assert [text.split("`")[1] for text in unused] == [
        "items",
        "lat",
        "placed",
        "born",
        "words",
        "score",
        "joined",
        "loyal",
    ]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ("/etc/passwd.csv", "SEG-0401"),
        ("../x.csv", "SEG-0401"),
        ("data/x.txt", "SEG-0407"),
        ("data/*", "SEG-0407"),
        ("data/x.csv.bz2", "SEG-0407"),
    ],
)
def test_files_lie_in_the_project_and_are_of_a_format_that_is_read(tmp_path: Path, files: str, code: str) -> None:
    clicks = FILES["sources/clicks.yaml"].replace("data/clicks/*.ndjson", files)
    assert told(tmp_path, sources_clicks=clicks) == [f"{code} 3:15"]


@pytest.mark.parametrize("files", ["gs://bucket/x.csv", "s3://bucket/a/*.ndjson.gz", "https://example.org/x.parquet"])
def test_files_elsewhere_are_refused_where_they_are_named(tmp_path: Path, files: str) -> None:
    clicks = FILES["sources/clicks.yaml"].replace("data/clicks/*.ndjson", files)
    (problem,) = problems(tmp_path, sources_clicks=clicks)
    assert (problem.code, problem.file, problem.line, problem.column) == ("SEG-0412", "sources/clicks.yaml", 3, 15)
    assert "files of the project" in problem.expected and files.startswith(problem.found)


@pytest.mark.parametrize("files", ["data/x.csv.gz", "data/x.ndjson.zst", "data/x.parquet"])
def test_files_may_be_compressed(tmp_path: Path, files: str) -> None:
    assert told(tmp_path, sources_clicks=FILES["sources/clicks.yaml"].replace("data/clicks/*.ndjson", files)) == []


def test_a_declared_root_may_be_read(tmp_path: Path) -> None:
    settings = FILES["segue.yaml"] + f"roots: [{tmp_path / 'lake'}]\n"
    clicks = FILES["sources/clicks.yaml"].replace("data/clicks/*.ndjson", f"{tmp_path / 'lake'}/x.csv")
    assert told(tmp_path / "shop", segue=settings, sources_clicks=clicks) == []


def test_a_linked_definition_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "shop")
    (tmp_path / "outside.yaml").write_text(segment("{did: {event: x}}"))
    (tmp_path / "shop" / "segments" / "new.yaml").symlink_to(tmp_path / "outside.yaml")
    assert told(tmp_path / "shop") == ["SEG-0403 0:0"]


LOOKUP = (
    "source: products\nkind: lookup\nfrom: {files: data/products.csv}\nkey: id\ncolumns: {brand: string, size: int}\n"
)
TAKING = FILES["sources/clicks.yaml"] + "lookups: {products: {on: item.id, take: [brand]}}\n"


def test_columns_of_a_lookup_are_properties_of_those_who_take_them(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        sources_products=LOOKUP,
        sources_clicks=TAKING,
        segments_new=segment("{did: {event: x, where: \"brand = 'a'\"}}"),
    )
    assert str(project.event_columns["brand"]) == "string" and "size" not in project.event_columns


@pytest.mark.parametrize(
    ("taking", "found"),
    [
        (TAKING.replace("products:", "product:"), "SEG-0312 7:11"),
        (TAKING.replace("[brand]", "[brnd]"), "SEG-0410 7:42"),
        (TAKING.replace("[brand]", "[]"), "SEG-0115 7:41"),
        (TAKING.replace("on: item.id", "on: lower(item)"), "SEG-0410 7:26"),
        (TAKING.replace("page: string", "brand: string"), "SEG-0311 7:42"),
    ],
)
def test_a_lookup_that_can_not_be_used_is_told_where_it_is_used(tmp_path: Path, taking: str, found: str) -> None:
    assert told(tmp_path, sources_products=LOOKUP, sources_clicks=taking) == [found]


def test_stories_use_properties_that_are_there_with_values_that_fit(tmp_path: Path) -> None:
    story = "tests:\n  - name: a\n    profile: {contry: DE}\n    events: [[0m, x, {amount: lots}], {at: 1m, event: x, pge: y}]\n    expect: [{at: 1m, member: true}]\n"
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", more=story)) == [
        "SEG-0304 6:15",
        "SEG-0501 7:31",
        "SEG-0304 7:58",
    ]


def test_a_story_speaks_of_the_segments_purposes(tmp_path: Path) -> None:
    story = "tests: [{name: a, consent: [{at: 0m, action: GRANT, purpose: care}], expect: [{at: 1m, member: true}]}]\n"
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", more=story)) == ["SEG-0500 4:62"]


def test_models_are_not_read_yet_and_that_is_said(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "rfm.yaml").write_text("model: rfm\n")
    assert [one.file for one in read(tmp_path).warnings if one.code == "SEG-0803"] == ["models/rfm.yaml"]


def test_a_report_shows_no_stack(tmp_path: Path) -> None:
    write(tmp_path, segments_new=segment("{nope: 1}"))
    with pytest.raises(DefinitionErrors) as refused:
        read_project(tmp_path, LANGUAGE, environment={})
    assert str(refused.value).startswith("segments/new.yaml:3:8: SEG-0106 no operator `nope`")


def test_a_promise_to_remove_data_that_is_not_kept_yet_is_a_warning(tmp_path: Path) -> None:
    purposes = "purposes:\n  - {id: ads, basis: consent, on_withdraw: erase}\n  - {id: care, basis: consent, retention: 30d, on_withdraw: freeze}\n"
    warned = [one for one in read(tmp_path, purposes=purposes).warnings if one.code == "SEG-0804"]
    assert [(one.file, one.line, one.message.split("`")[1]) for one in warned] == [
        ("purposes.yaml", 2, "on_withdraw"), ("purposes.yaml", 3, "retention"),
    ]  # fmt: skip
    assert [one for one in read(tmp_path / "silent").warnings if one.code == "SEG-0804"] == []


def test_the_purpose_and_the_population_of_a_broken_segment_are_checked_too(tmp_path: Path) -> None:
    broken = "segment: new\npurpose: [ads, car]\npopulation: {in_segment: buyrs}\nwhen: {nope: 1}\n"
    assert told(tmp_path, segments_new=broken) == ["SEG-0301 2:16", "SEG-0302 3:26", "SEG-0106 4:8"]


LATE = "source: late\nkind: events\nfrom: {files: x.csv}\nfields: {event_id: i, event: n, subject: u, occurred_at: a"


@pytest.mark.parametrize("said", ["allowed_lateness: 3d", "on_late: drop"])
def test_what_is_said_of_late_events_is_warned_of_where_none_can_be_told(tmp_path: Path, said: str) -> None:
    warned = read(tmp_path, sources_late=f"{LATE}}}\n{said}\n").warnings
    assert [(one.file, one.line) for one in warned if one.code == "SEG-0805"] == [("sources/late.yaml", 5)]
    mapped = read(tmp_path, sources_late=f"{LATE}, received_at: r}}\n{said}\n").warnings
    assert not [one for one in mapped if one.code == "SEG-0805"]
    silent = read(tmp_path, sources_late=f"{LATE}}}\n").warnings
    assert not [one for one in silent if one.code == "SEG-0805"]
    topic = LATE.replace("{files: x.csv}", "{kafka: {bootstrap: 'b:9092', topic: late}}")
    stamped = read(tmp_path, sources_late=f"{topic}}}\n{said}\n").warnings
    assert not [one for one in stamped if one.code == "SEG-0805"]
