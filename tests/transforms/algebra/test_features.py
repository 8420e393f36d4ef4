"""Feature rows, where there is anything to be written."""

from pathlib import Path
from typing import Any

from tests.support.histories import Shard
from tests.support.oracle import Event, World
from tests.support.oracle_model import HOUR, Json

SECOND = 1_000_000
PROJECT = {
    "timezone": "UTC",
    "purposes": [{"id": "p", "basis": "legitimate_interest"}],
    "sources": {"web": {"kind": "events", "properties": {}}},
    "segments": [{"segment": "s", "purpose": "p", "when": {"did": {"event": "seen"}}}],
}


def test_a_project_without_features_has_segments_and_no_feature_rows(tmp_path: Path) -> None:
    events = tuple(Event("web", who, "e", "seen", 10, 10) for who in ("one", "two", "three"))
    shard = Shard.of(tmp_path, World(PROJECT, events)).step(events, 20)
    assert shard.believed() == {("s", who): [(10, None)] for who in ("one", "two", "three")}
    assert len(shard.published[0]["feature_rows"]) == 0


def test_within_a_day_no_feature_rows_are_written_and_at_its_end_those_of_all_who_changed(tmp_path: Path) -> None:
    count = {"name": "n", "op": "count", "windows": ["lifetime", {"last": "100s", "as": "lately"}]}
    group = {"features": "g", "purpose": "p", "source": {"event": "seen"}, "aggregates": [count]}
    world = World({**PROJECT, "features": [group]})
    told = (("ann", 10), ("bob", 20), ("ann", 30))
    events = [Event("web", who, f"e{at}", "seen", at * SECOND, at * SECOND) for who, at in told]
    within, whole = Shard.of(tmp_path / "within", world), Shard.of(tmp_path / "whole", world)
    for number, at in enumerate((15, 25, 35)):
        within.step(events[number : number + 1], at * SECOND, writes_features=False)
    assert [len(tables["feature_rows"]) for tables in within.published] == [0, 0, 0]
    assert written(within.step([], 125 * SECOND)) == written(whole.step(events, 125 * SECOND))
    assert written(within) == [("ann", 2, 1), ("bob", 1, 0)]
    assert written(within.step([], 126 * SECOND, writes_features=False)) == []
    assert written(within.step([], 130 * SECOND)) == [("ann", 2, 0)]


def written(shard: Shard) -> list[tuple[str, int, int]]:
    rows = shard.published[-1]["feature_rows"].sort_by("subject").to_pylist()
    return [(row["subject"], row["g__n_lifetime"], row["g__n_lately"]) for row in rows]


def summed(tmp_path: Path, *values: int) -> Shard:
    """A shard where one subject's integers are summed, and a segment that asks for the sum."""
    huge = f"> {2**63 - 1}"
    project = {
        **PROJECT,
        "sources": {"web": {"kind": "events", "properties": {"v": "int"}}},
        "features": [
            {
                "features": "g",
                "purpose": "p",
                "source": {"event": "seen"},
                "aggregates": [
                    {"name": "v", "op": "sum", "of": "v", "windows": ["lifetime"]},
                    {"name": "n", "op": "count", "windows": ["lifetime"]},
                ],
            }
        ],
        "segments": [
            {"segment": "s", "purpose": "p", "when": {"aggregate": {"feature": "g.v_lifetime", "compare": huge}}}
        ],
    }
    events = tuple(Event("web", "one", f"e{n}", "seen", 10, 10, {"v": v}) for n, v in enumerate(values))
    return Shard.of(tmp_path, World(project, events)).step(events, 20)


def test_a_sum_that_64_bits_do_not_hold_is_null_in_the_row_and_exact_in_comparisons(tmp_path: Path) -> None:
    shard = summed(tmp_path, 2**63 - 1, 1)
    assert shard.published[0]["feature_rows"]["g__v_lifetime"].to_pylist() == [None]
    assert shard.believed() == {("s", "one"): [(10, None)]}


def test_the_largest_sum_that_64_bits_hold_is_in_the_row(tmp_path: Path) -> None:
    shard = summed(tmp_path, 2**63 - 2, 1)
    assert shard.published[0]["feature_rows"]["g__v_lifetime"].to_pylist() == [2**63 - 1]
    assert shard.believed() == {}


def told_hourly(tmp_path: Path, aggregate: Json, *values: int | None) -> list[list[Any]]:
    """The feature rows of each step, of a subject that is seen once in each, an hour after the one before."""
    group = {"features": "g", "purpose": "p", "source": "seen", "aggregates": [{"name": "v", "of": "v", **aggregate}]}
    sources = {"web": {"kind": "events", "properties": {"v": "int"}}}
    shard = Shard.of(tmp_path, World({**PROJECT, "sources": sources, "features": [group]}))
    for hour, value in enumerate(values):
        at = hour * HOUR
        shard.step([] if value is None else [Event("web", "one", f"e{hour}", "seen", at, at, {"v": value})], at)
    (name,) = shard.program.feature_schema.names
    return [rows["feature_rows"][name].to_pylist() for rows in shard.published]


def test_a_list_is_written_where_one_item_of_it_is_another(tmp_path: Path) -> None:
    latest = {"op": "list", "n": 1, "windows": ["lifetime"]}
    assert told_hourly(tmp_path, latest, 7, 7, 8) == [[[7]], [], [[8]]]


def test_a_value_is_written_where_it_ceases_and_where_there_is_one_again(tmp_path: Path) -> None:
    last = {"op": "last", "windows": ["2h"]}
    assert told_hourly(tmp_path, last, 7, None, None, None, 7) == [[7], [], [None], [], [7]]
