"""Links through the whole run: moves between shards, corrections, refusals, and what commands say of ids that are one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.support.command_line import segue
from tests.support.merged import event, instant, link, row, undo, world
from tests.support.oracle_model import HOUR, World
from tests.support.whole_runs import Target
from transforms.algebra.layers import read_layers
from transforms.shard import shards_of
from transforms.stage import AWAKE

SOURCES = {"web": {"kind": "events", "properties": {"n": "int"}}, "led": {"kind": "consents"}, "ids": {"kind": "identities"}}
COUNTED = {
    "features": "shop",
    "purpose": "free",
    "source": {"event": "buy"},
    "aggregates": [{"name": "n", "op": "count", "windows": ["lifetime"]}],
}
SHARDS = 16


def project(**more: Any) -> World:
    return world(sources={**SOURCES, **more}, features=[COUNTED])


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path, project()).sharded(SHARDS)


def apart(name: str, other: str) -> bool:
    one, two = shards_of(pa.array([name, other]), SHARDS)
    return bool(one != two)


def changes(target: Target) -> list[tuple[Any, ...]]:
    """(subject, kind, hour, member, reason) of the last run."""
    said = "SELECT subject, kind, (epoch_us(effective_at) - {0}) / {1}, member, reason FROM segment_changes"
    last = "WHERE run_id = (SELECT run_id FROM run_manifest ORDER BY k DESC LIMIT 1) ORDER BY 3, 1"
    return target.rows(f"{said.format(instant(0), HOUR)} {last}")


def hours(target: Target) -> dict[str, list[tuple[float, float | None]]]:
    def told(at: int | None) -> float | None:
        return None if at is None else (at - instant(0)) / HOUR

    return {who: [(told(a), told(b)) for a, b in one] for (_, who), one in target.history().items()}  # type: ignore[misc]


def test_a_merge_enters_and_exits_by_identity(target: Target) -> None:
    target.write([event(1, "phone"), event(2, "tv")])
    target.run(instant(4))
    target.write([link(5, "phone", "zoe")])
    target.run(instant(6))
    assert changes(target) == [("phone", "exited", 5, False, "identity"), ("zoe", "entered", 5, True, "identity")]


def test_a_merge_that_is_heard_of_late_corrects_by_identity(target: Target) -> None:
    target.write([event(1, "phone")])
    target.run(instant(6))
    target.write([link(5, "phone", "zoe", received=7)])
    target.run(instant(7))
    assert changes(target) == [("phone", "corrected", 5, False, "identity"), ("zoe", "corrected", 5, True, "identity")]
    assert hours(target) == {"phone": [(1, 5)], "zoe": [(5, None)]}


def test_who_goes_to_another_shard_takes_along_what_was_published_and_written(target: Target) -> None:
    assert apart("phone", "zoe")
    target.write([event(1, "phone"), event(2, "zoe"), event(2, "tv")])
    target.run(instant(4))
    rows = "SELECT subject, shop__n_lifetime, (epoch_us(as_of) - {}) / {} FROM feature_rows ORDER BY 3, 1"
    before = target.rows(rows.format(instant(0), HOUR))
    target.write([link(9, "phone", "zoe", received=5)])  # dated after T
    target.run(instant(6))
    assert changes(target) == []
    assert target.rows(rows.format(instant(0), HOUR)) == before
    target.run(instant(10))
    assert target.rows(rows.format(instant(0), HOUR)) == [*before, ("phone", None, 10), ("zoe", 2, 10)]
    assert hours(target) == {"phone": [(1, 9)], "tv": [(2, None)], "zoe": [(2, None)]}


def test_the_states_hold_each_subject_once_after_a_move(target: Target) -> None:
    target.write([event(1, "phone"), event(2, "zoe")])
    target.run(instant(4))
    target.write([link(5, "phone", "zoe")])
    target.run(instant(6))
    (shard,) = set(shards_of(pa.array(["zoe"]), SHARDS).tolist())
    files: dict[int, list[pa.Buffer]] = {}
    for one, path in target.rows(f"SELECT shard, path FROM kernel_state ORDER BY shard, path LIKE '%{AWAKE}'"):
        files.setdefault(one, []).append(pa.py_buffer((target.folder / "lake" / path).read_bytes()))
    holding = [one for one, layers in files.items() if "phone" in read_layers(*layers).at_rest().rest.ids.to_pylist()]
    assert holding == [shard]


def test_undoing_restores(target: Target) -> None:
    target.write([event(1, "phone"), link(5, "phone", "zoe")])
    target.run(instant(6))
    target.write([undo(7, "phone")])
    target.run(instant(8))
    assert hours(target) == {"phone": [(1, 5), (7, None)], "zoe": [(5, 7)]}


def test_links_that_are_refused_are_in_quarantine_once_and_have_a_fate(target: Target) -> None:
    target.define(project(ids={"kind": "identities", "max_links": 2}))
    target.write([link(1, "a", "b"), link(2, "b", "a"), link(3, "c", "b"), link(4, "guest", "b")])
    target.write([link(4, "e", " Null "), link(4, "f", "  ")])
    target.write([row(0, "z", "ERASE"), link(5, "d", "z")])
    target.run(instant(6))
    told = "SELECT reason, json_extract_string(decode(raw), '$.from_id') FROM quarantine ORDER BY 1, 2"
    blocked = [("blocked", who) for who in ("d", "e", "f", "guest")]
    assert target.rows(told) == [*blocked, ("cycle", "b"), ("super_node", "c")]
    assert target.runs()[-1].fates == {**dict.fromkeys(target.runs()[-1].fates, 0), "read": 8, "quarantined": 6, "used": 2}
    target.write([event(7, "a")])
    target.run(instant(8))
    assert len(target.rows(told)) == 6


def test_a_link_may_close_a_cycle_by_what_is_heard_of_later(target: Target) -> None:
    target.write([link(5, "a", "b")])
    target.run(instant(6))
    target.write([link(4, "b", "a", received=7)])
    target.run(instant(8))
    assert target.rows(f"SELECT reason, (epoch_us(received_at) - {instant(0)}) / {HOUR} FROM quarantine") == [("cycle", 5)]
    assert target.runs()[-1].fates["quarantined"] == 0


@pytest.mark.parametrize("how", ["increment", "definition", "refresh"])
def test_what_a_refusal_of_a_merged_id_takes_back_was_exposed(tmp_path: Path, how: str) -> None:
    target = Target(tmp_path, world(sources=SOURCES, purpose="asked")).sharded(SHARDS)
    target.write([row(0, "phone"), row(0, "zoe"), event(1, "phone"), event(1, "zoe"), link(5, "phone", "zoe")])
    target.run(instant(8))
    target.write([replace(row(6, "phone", "WITHDRAW"), received_at=instant(9))])
    if how == "definition":
        target.define(world(sources=SOURCES, purpose="asked", when={"did": {"event": "buy", "window": "400d"}}))
    target.run(instant(10), full_refresh=how == "refresh")
    told = f"SELECT e.subject, (epoch_us(e.wrong_since_at) - {instant(0)}) / {HOUR} FROM exposures e"
    assert target.rows(told) == [("zoe", 6)]


def test_what_a_refusal_takes_back_by_a_link_of_the_same_run_was_exposed_and_what_the_link_does_was_not(tmp_path: Path) -> None:
    target = Target(tmp_path, world(sources=SOURCES, purpose="asked")).sharded(SHARDS)
    target.write([row(0, "phone"), row(0, "zoe"), event(1, "phone"), event(1, "zoe")])
    target.run(instant(8))
    target.write([link(5, "phone", "zoe", received=9), replace(row(6, "phone", "WITHDRAW"), received_at=instant(9))])
    target.run(instant(10))
    told = f"SELECT e.subject, (epoch_us(e.wrong_since_at) - {instant(0)}) / {HOUR} FROM exposures e ORDER BY 1"
    assert target.rows(told) == [("phone", 6), ("zoe", 6)]


def test_verdicts_count_who_is_a_subject_at_t(target: Target) -> None:
    target.write([event(1, "phone"), event(2, "zoe"), link(5, "phone", "zoe")])
    target.run(instant(6))
    assert target.rows("SELECT reason, events, subjects FROM consent_verdicts WHERE purpose = 'free'") == [
        ("ALLOW_legitimate_interest", 2, 1)
    ]


def test_explain_tells_whom_an_id_was_merged_into(target: Target) -> None:
    target.write([event(1, "phone"), link(5, "phone", "zoe")])
    target.run(instant(6))
    told = json.loads(segue(target.folder, "--format", "json", "explain", "zoe", "it"))
    assert (told["member"], told["ids"], told["merged_into"]) == (True, ["phone", "zoe"], None)
    assert [one["event_id"] for one in told["tree"]["decided_by"]] == ["buy-1"]
    merged = json.loads(segue(target.folder, "--format", "json", "explain", "phone", "it"))
    assert (merged["member"], merged["population"], merged["purpose_open"], merged["merged_into"]) == (False, False, False, "zoe")
    assert "merged into zoe" in segue(target.folder, "explain", "phone", "it")


def test_features_are_those_of_the_subject_that_an_id_belonged_to_then(target: Target) -> None:
    target.write([event(1, "phone"), event(2, "zoe"), link(5, "phone", "zoe")])
    target.run(instant(6))
    pairs = [(who, f"2023-11-15T{hour:02}:00:00Z") for who in ("phone", "zoe") for hour in (4, 5)]
    (target.folder / "asked.csv").write_text("subject,at\n" + "".join(f"{who},{at}\n" for who, at in pairs))
    told = json.loads(segue(target.folder, "features", "--at", str(target.folder / "asked.csv"), "--format", "json"))
    assert [one["shop__n_lifetime"] for one in told] == [1, None, 1, 2]


def test_a_preview_looks_at_subjects_and_not_at_what_was_merged_into_them(target: Target) -> None:
    target.write([event(1, "phone"), event(2, "zoe"), link(5, "phone", "zoe"), event(3, "tv")])
    target.run(instant(6))
    told = json.loads(segue(target.folder, "--format", "json", "preview", "it"))
    assert (told["subjects"], told["looked_at"], told["size"]["few"]) == (2, 2, ["tv", "zoe"])
