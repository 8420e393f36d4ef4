"""Tidying beside publishing: daily after plain runs, step by step in streams, and told of where it fails."""

from datetime import timedelta
from pathlib import Path

from runners.publishing.tidying import tidy_daily, tidying
from runners.warehouses.ducklake import DuckLake
from runners.warehouses.lake import Lake
from tests.support.aged import age
from tests.support.reading import seen
from tests.support.staged_runs import COMMITS, commit_often, commit_once

AT_ONCE = "INTERVAL 0 SECOND"


def data_files(lake: Lake) -> int:
    """How many files the tables are made of now."""
    return int(lake.value("SELECT sum(file_count) FROM ducklake_table_info('lake')"))


def test_what_was_tidied_within_a_day_is_left_alone(lake: Lake) -> None:
    commit_often(lake)
    before, notes = data_files(lake), list[str]()
    tidy_daily(lake, notes.append)
    assert data_files(lake) == before
    age(lake.root, timedelta(days=3))
    commit_once(lake, COMMITS)
    tidy_daily(lake, notes.append)
    assert data_files(lake) < before
    assert notes == []


def test_a_stream_tidies_a_step_at_a_time_and_begins_again_when_it_is_through(lake: Lake) -> None:
    commit_often(lake)
    steps = tidying(lake, AT_ONCE, 0.0, list[str]().append)
    before, counts = seen(lake), [data_files(lake)]
    for _ in range(20):
        next(steps)
        counts.append(data_files(lake))
    assert counts == sorted(counts, reverse=True)
    assert len({*counts}) > 3
    assert seen(lake) == before
    for number in range(COMMITS):
        commit_once(lake, COMMITS + number)
    many = data_files(lake)
    for _ in range(20):
        next(steps)
    assert data_files(lake) < many


def test_nothing_is_tidied_before_it_is_time(lake: Lake) -> None:
    commit_often(lake)
    before = data_files(lake)
    steps = tidying(lake, AT_ONCE, 3600.0, list[str]().append)
    for _ in range(20):
        next(steps)
    assert data_files(lake) == before


def test_a_step_that_fails_is_told_and_what_comes_after_it_is_tried_another_time(lake: Lake) -> None:
    commit_often(lake)
    broken, *_ = sorted(_files_of(lake, "events"))
    whole = broken.read_bytes()
    broken.write_bytes(b"no parquet")
    notes = list[str]()
    steps = tidying(lake, AT_ONCE, 0.0, notes.append)
    for _ in range(20):
        next(steps)
    assert notes[0].startswith("the warehouse was not tidied")
    broken.write_bytes(whole)
    before = data_files(lake)
    for _ in range(20):
        next(steps)
    assert data_files(lake) < before


def _files_of(lake: Lake, table: str) -> list[Path]:
    assert isinstance(lake, DuckLake)
    assert lake.data is not None
    return [*lake.data.rglob(f"{table}/*.parquet")]
