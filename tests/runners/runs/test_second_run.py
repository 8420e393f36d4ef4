"""The second run: files gone or changed, time that passes, definitions that change, go and come back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runners.main import call
from runners.runs.outlook import Options, Outlook
from runners.runs.running import open_target
from schemas.definitions.catalog import read_project
from schemas.errors import CallError
from tests.support.oracle_model import DAY, HOUR, Event, Profile, World
from tests.support.whole_runs import FATES, Target
from tests.support.worlds import language

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
T = START + DAY
WEEK = {"segment": "active", "purpose": "p", "when": {"did": {"event": "a", "window": "7d"}}}
EVER = {"segment": "ever", "purpose": "p", "when": {"did": {"event": "a"}}}
OTHER = {"segment": "ever", "purpose": "p", "when": {"did": {"event": "b"}}}


def world(*segments: dict[str, Any], sources: tuple[str, ...] = ("e1",)) -> World:
    named = {name: {"kind": "events", "properties": {}} for name in sources}
    purposes = [{"id": "p", "basis": "legitimate_interest"}]
    return World({"timezone": "UTC", "purposes": purposes, "sources": named, "segments": [*segments]})


def declares(properties: dict[str, str]) -> World:
    """A world whose source declares these, and whose segment asks for one."""
    made = world({"segment": "big", "purpose": "p", "when": {"did": {"event": "a", "where": "value > 1"}}})
    made.project["sources"]["e1"]["properties"] = properties
    return made


def event(subject: str, at: int, name: str = "a", source: str = "e1") -> Event:
    return Event(source, subject, f"{name}-{at}", name, at, at)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """Ann on day 0, and a run on day 1."""
    made = Target(tmp_path, world(WEEK, EVER)).sharded(3)
    seen = replace(event("ann", START), properties={"value": 3})
    made.write([seen, event("ann", START + HOUR, "b")], "first")
    made.run(T)
    return made


def test_a_half_written_line_is_told_by_every_run_that_finds_it(target: Target) -> None:
    told = "the last 5 bytes of `data/e1/first.ndjson` are no whole record: they wait for what follows"
    with (target.folder / "data/e1/first.ndjson").open("a") as file:
        file.write('{"id"')
    assert [target.run(T).notes, target.run(T + DAY).notes] == [(told,)] * 2
    (new,) = target.write([event("bob", T)], "second")
    new.write_text(new.read_text() + "{")
    also = "the last 1 bytes of `data/e1/second.ndjson` are no whole record: they wait for what follows"
    assert [target.run(T + DAY).notes, target.run(T + DAY).notes] == [(told, also)] * 2


def test_values_that_a_source_does_not_declare_are_counted_for_people_and_in_the_record(tmp_path: Path) -> None:
    target = Target(tmp_path, world(EVER)).sharded(1)
    target.write([replace(event(who, START), properties={"value": 3, "other": 4}) for who in ("ann", "bob")])
    assert target.run(T).notes == ("4 values of fields that `e1` does not declare were left out",)
    ((inputs,),) = target.rows("SELECT inputs FROM run_manifest")
    assert json.loads(inputs)["undeclared"] == {"e1": 4}


def test_a_t_or_a_k_that_lies_too_early_is_refused_beside_the_one_that_it_must_not_precede(target: Target) -> None:
    with pytest.raises(CallError, match=r"T = 2026-01-05.*, from --as-of, lies before the last published one, 2026-01-06"):
        target.run(START)
    with pytest.raises(CallError, match=r"K = 2026-01-05T00:00:00.* lies below what has been read, up to 2026-01-05T01"):
        target.run(T, START)


@pytest.mark.parametrize(
    ("settings", "whence"), [("as_of: 2026-01-05\n", "`as_of` at segue.yaml:1:8"), ("", "this machine's clock")]
)
def test_a_t_that_lies_too_early_is_refused_with_where_it_comes_from(target: Target, settings: str, whence: str) -> None:
    path = target.folder / "segue.yaml"
    path.write_text(settings + path.read_text())
    project = read_project(target.folder, language())
    with open_target(project) as lake, pytest.raises(CallError, match=f"from {whence}, lies before the last published one"):
        Outlook.of(lake, project, Options(START))


def command(target: Target, *more: str) -> int:
    return call(["--project-dir", str(target.folder), "--quiet", "run", "--as-of", "2026-01-08", *more])


def test_a_file_that_vanished_is_only_reported_and_its_records_stay(target: Target) -> None:
    (target.folder / "data/e1/first.ndjson").unlink()
    target.write([event("bob", T)], "second")
    assert target.run(T + DAY).notes == ("`data/e1/first.ndjson` has vanished; its records are committed",)
    assert target.history()["ever@1", "ann"] == [(START, None)]
    assert target.history()["ever@1", "bob"] == [(T, None)]
    target.sharded(16).run(T + DAY)
    assert target.history()["ever@1", "ann"] == [(START, None)], "a state made anew needs no file either"


def test_a_vanished_file_that_is_back_is_not_read_again(target: Target) -> None:
    path = target.folder / "data/e1/first.ndjson"
    content = path.read_bytes()
    path.unlink()
    target.write([event("bob", T)], "second")
    target.run(T + DAY)
    path.write_bytes(content)
    target.run(T + 2 * DAY)
    assert [run.fates["read"] for run in target.runs()] == [2, 1]


def test_the_manifest_says_what_was_read_and_every_record_has_one_fate(target: Target) -> None:
    target.write([event("bob", T), event("ann", START), event("cy", T + 9 * DAY), event("bob", T, "c")], "first")
    target.run(T + DAY)
    inputs = [json.loads(text) for (text,) in target.rows("SELECT inputs FROM run_manifest ORDER BY k")]
    reached = [one[when]["e1"]["data/e1/first.ndjson"]["records"] for one in inputs for when in ("before", "after") if one[when]]
    assert reached == [2, 2, 6]
    fates = [run.fates for run in target.runs()]
    assert [sum(one[name] for name in FATES) for one in fates] == [2, 4] == [one["read"] for one in fates]
    assert {name: number for name, number in fates[1].items() if number} == {
        "read": 4, "duplicate": 1, "kept": 1, "unneeded": 1, "used": 1,
    }


def test_a_subject_leaves_because_time_passed_without_any_event(target: Target) -> None:
    assert target.run(START + 7 * DAY - 1).published.status == "unchanged"
    assert target.run(START + 7 * DAY).published.status == "published"
    assert target.history()["active@1", "ann"] == [(START, START + 7 * DAY)]
    last = "SELECT segment, kind, epoch_us(effective_at), reason FROM segment_changes ORDER BY known_at DESC LIMIT 1"
    assert target.rows(last) == [("active", "exited", START + 7 * DAY, "expiry")]
    assert target.runs()[-1].fates == dict.fromkeys(("read", *FATES), 0)
    assert target.folded() == target.history()


def test_expiries_and_events_between_the_runs_come_in_one_step(target: Target) -> None:
    target.write([event("ann", START + 9 * DAY)])
    target.run(START + 20 * DAY)
    assert target.history()["active@1", "ann"] == [(START, START + 7 * DAY), (START + 9 * DAY, START + 16 * DAY)]
    assert target.folded() == target.history()


def test_a_changed_meaning_closes_the_old_version_and_one_that_returns_gets_a_new_number(target: Target) -> None:
    for segments in ([WEEK, OTHER], [WEEK, EVER]):
        target.define(world(*segments))
        target.sharded(3).run(T)
    assert target.history() == {("active@1", "ann"): [(START, None)], ("ever@3", "ann"): [(START, None)]}
    assert target.folded() == target.history()
    closed = "SELECT version, member, reason FROM segment_changes WHERE kind = 'corrected' ORDER BY known_at, version"
    assert target.rows(closed) == [(v, m, "definition") for v, m in ((1, False), (2, True), (2, False), (3, True))]
    assert target.history(f"known_from < make_timestamptz({target.runs()[1].known_at})")["ever@1", "ann"] == [
        (START, None)
    ]


def test_a_segment_that_goes_closes_and_one_that_comes_back_has_a_new_number(target: Target) -> None:
    target.define(world(EVER))
    target.sharded(3).run(T)
    assert {key for key, _ in target.history()} == {"ever@1"}
    target.define(world(EVER, WEEK))
    target.sharded(3).run(START + 7 * DAY)
    assert target.history()["active@2", "ann"] == [(START, START + 7 * DAY)]
    assert target.folded() == target.history()
    versions = target.rows("SELECT segment, version, current FROM segment_versions ORDER BY ALL")
    assert versions == [("active", 1, False), ("active", 2, True), ("ever", 1, True)]


def test_facts_of_a_source_that_is_not_defined_any_more_say_nothing_until_it_is_back(target: Target) -> None:
    both = world(WEEK, EVER, sources=("e1", "e2"))
    target.define(both)
    target.write([event("bob", START, source="e2")])
    target.sharded(3).run(T)
    target.define(world(WEEK, EVER))
    target.sharded(3).run(T)
    assert {subject for _, subject in target.history()} == {"ann"}
    target.define(both)
    target.sharded(3).run(T)
    assert {subject for _, subject in target.history()} == {"ann", "bob"}
    assert target.folded() == target.history()


def test_a_property_that_the_warehouse_does_not_hold_is_read_from_the_source_again(target: Target) -> None:
    declared = declares({"value": "int"})
    target.define(declared)
    target.write([replace(event("bob", T), properties={"value": 5})], "second")
    notes = target.sharded(3).run(T).notes
    assert notes == ("`e1` is read again: what is declared of it has changed",)
    assert target.history() == {("big@1", "ann"): [(START, None)], ("big@1", "bob"): [(T, None)]}
    assert target.runs()[-1].fates["read"] == 3
    assert target.rows("SELECT count(*), count(value) FROM events") == [(3, 2)]
    assert target.run(T + 1).published.status == "unchanged"


def test_a_property_that_is_not_declared_any_more_needs_no_file(target: Target) -> None:
    target.define(declares({"value": "int"}))
    target.sharded(3).run(T)
    (target.folder / "data/e1/first.ndjson").unlink()
    target.define(world(EVER))
    assert "read again" not in " ".join(target.sharded(3).run(T).notes)
    assert target.history()["ever@2", "ann"] == [(START, None)]


def test_a_property_of_records_whose_file_is_gone_closes_the_gate(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    before = target.history(), target.runs()
    (target.folder / "data/e1/first.ndjson").unlink()
    target.define(declares({"value": "int"}))
    target.sharded(3)
    assert command(target) == 4
    assert "SEG-0701" in capsys.readouterr().err
    assert (target.history(), target.runs()) == before


def test_a_changed_row_of_a_lookup_changes_what_was_read_before(tmp_path: Path) -> None:
    made = world({"segment": "red", "purpose": "p", "when": {"did": {"event": "a", "where": "colour = 'red'"}}})
    app = made.project["sources"]["e1"]
    app |= {"properties": {"item": "string"}, "lookups": {"items": {"on": "item", "take": ["colour"]}}}
    made.project["sources"]["items"] = {"kind": "lookup", "key": "id", "columns": {"colour": "string"}}
    target = Target(tmp_path, made).sharded(1)
    (tmp_path / "items.csv").write_text("id,colour\nx,blue\n")
    target.write([replace(event("ann", START), properties={"item": "x"})])
    target.run(T)
    assert target.history() == {}
    (tmp_path / "items.csv").write_text("id,colour\nx,red\n")
    target.run(T)
    assert target.history() == {("red@2", "ann"): [(START, None)]}


def test_ids_that_are_normalised_from_now_on_are_so_in_what_was_read_before(target: Target) -> None:
    target.write([event("ANN", START), event(" ann ", START)], "first")
    target.run(T)
    assert len({subject for _, subject in target.history()}) == 3
    changed = world(WEEK, EVER)
    changed.project["sources"]["e1"]["normalise"] = {"subject": ["trim", "lower"]}
    target.define(changed)
    target.sharded(3).run(T)
    assert {subject for _, subject in target.history()} == {"ann"}
    assert target.folded() == target.history()


def test_a_definition_that_is_written_otherwise_is_the_same(target: Target) -> None:
    target.define(world({**EVER, "description": "anyone", "tags": ["new"]}, WEEK))
    target.sharded(3).run(T)
    assert {key for key, _ in target.history()} == {"active@1", "ever@1"}


def test_only_changed_segments_get_new_versions_and_new_rows(target: Target) -> None:
    target.define(world(WEEK, OTHER))
    target.sharded(3).run(T)
    written = "SELECT DISTINCT segment, version FROM segment_transitions WHERE run_id = '{}'"
    assert target.rows(written.format(target.runs()[-1].run_id)) == [("ever", 2)]


@pytest.mark.parametrize("content", [b"", b'{"id": "other"}\n'])
def test_a_prefix_that_shrank_or_changed_stops_the_run(
    target: Target, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    before = target.history(), target.runs()
    (target.folder / "data/e1/first.ndjson").write_bytes(content)
    assert command(target) == 1
    assert "SEG-0700" in capsys.readouterr().err
    assert (target.history(), target.runs()) == before


def test_a_changed_prefix_may_be_read_anew(target: Target) -> None:
    path = target.folder / "data/e1/first.ndjson"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    assert command(target, "--full-refresh") == 0
    assert target.history() == {}
    assert target.folded() == {}


def test_the_same_call_again_changes_nothing(target: Target) -> None:
    assert command(target) == 0
    tables = target.history(), target.runs()
    assert command(target) == 0
    assert (target.history(), target.runs()) == tables


@pytest.mark.parametrize("name", ["who", "record_hash_", "position_", "segment", "run_id_", "file"])
def test_a_property_of_profiles_may_be_named_like_something_of_ours(tmp_path: Path, name: str) -> None:
    made = world({"segment": "german", "purpose": "p", "when": {"property": {name: "= 'DE'"}}})
    made.project["sources"]["people"] = {"kind": "profiles", "properties": {name: "string"}}
    target = Target(tmp_path, made)
    for number, subject in enumerate(("ann", "bob")):
        target.write([Profile("people", subject, START + number, START + number, {name: "DE"}, "delta")])
        target.run(T + number)
    assert sorted(target.history()) == [("german@1", "ann"), ("german@1", "bob")]
