"""Whole households of the grocer, run in three increments with late baskets, against the oracle's reading of the law."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.support.command_line import asked
from tests.support.grocer import Households
from tests.support.histories import History
from tests.support.oracle import feature, history, member
from tests.support.records import Run, cut, recorded, runs

FEW = slice(None, None, 10)
"""Every tenth household of the sixty, of whatever size: what the fast suite has time to ask the oracle about."""


def expected(households: Households, household: str, run: Run) -> History:
    """The oracle's histories up to T as known at K, those that are not empty."""
    world = households.world(household)
    found = {name: cut(history(world, name, household, run.known_at), run.t_at) for name in households.segments}
    return {(name, household): intervals for name, intervals in found.items() if intervals}


def of(record: History, household: str) -> History:
    return {key: intervals for key, intervals in record.items() if key[1] == household}


def assert_histories(households: Households, sizes: range) -> None:
    """For each run: what it recorded of the households of such sizes is the oracle's answer at its T and K."""
    chosen = [household for household, lines in households.sizes.items() if lines in sizes]
    assert len(chosen) >= 4
    for run in runs(households.root):
        record = recorded(households.root, run.known_at)
        for household in chosen:
            assert of(record, household) == expected(households, household, run), (household, run)


def test_the_record_of_each_run_is_the_oracles_at_every_instant(households: Households) -> None:
    assert_histories(households, range(80))


@pytest.mark.soak
def test_the_record_of_larger_households_is_the_oracles_at_every_instant(many_households: Households) -> None:
    assert_histories(many_households, range(80, 400))


def assert_turns(households: Households, chosen: list[str]) -> None:
    """At three turns of each history, the microseconds before them, and T."""
    *_, run = runs(households.root)
    record = recorded(households.root, run.known_at)
    for household in chosen:
        world = households.world(household)
        for name in households.segments:
            intervals = record.get((name, household), [])
            found = {at: _holds(intervals, at) for at in _instants(intervals, run.t_at)}
            assert found == {at: member(world, name, household, at, run.known_at) for at in found}, (name, household)


def test_households_of_any_size_turn_where_the_oracle_says(households: Households) -> None:
    assert_turns(households, households.ids[FEW])


@pytest.mark.soak
def test_all_households_turn_where_the_oracle_says(many_households: Households) -> None:
    assert_turns(many_households, many_households.ids)


def _instants(intervals: list[tuple[int, int | None]], t_at: int) -> list[int]:
    turns = [at for interval in intervals for at in interval if at is not None]
    chosen = {turns[0], turns[len(turns) // 2], turns[-1]} if turns else set()
    return sorted({one - beside for one in chosen for beside in (0, 1)} | {t_at})


def _holds(intervals: list[tuple[int, int | None]], at: int) -> bool:
    return any(start <= at and (end is None or at < end) for start, end in intervals)


def assert_features(households: Households, chosen: list[str]) -> None:
    """For each run: the rows of these households are the oracle's values at its T and K."""
    compared = 0
    for run in runs(households.root):
        rows = {row["subject"]: row for row in _feature_rows(households, run.t_at)}
        for household in chosen:
            row, world = rows.get(household, {}), households.world(household)
            values = {name: value for name, value in row.items() if "__" in name}
            assert values == {name: feature(world, name, household, *run) for name in values}, (household, run)
            compared += len(values)
    assert compared > 40 * len(chosen)


def test_the_feature_rows_of_each_run_are_the_oracles(households: Households) -> None:
    assert_features(households, households.ids[FEW])


@pytest.mark.soak
def test_the_feature_rows_of_all_households_are_the_oracles(households: Households) -> None:
    assert_features(households, households.ids)


def _feature_rows(households: Households, t_at: int) -> Iterator[dict[str, Any]]:
    """The row of each household at T: the latest up to it. Decimals are compared as numbers."""
    sql = (
        f"SELECT * EXCLUDE (as_of, run_id) FROM feature_rows WHERE epoch_us(as_of) <= {t_at} "
        "QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1"
    )
    columns = {column["column_name"]: column["column_type"] for column in asked(households.root, "DESCRIBE feature_rows")}
    for row in asked(households.root, sql):
        yield {n: Decimal(v) if v is not None and columns[n].startswith("DECIMAL") else v for n, v in row.items()}


def test_late_baskets_corrected_the_record(households: Households) -> None:
    """The parts overlap in time, so that the three runs could have gone wrong."""
    [row] = asked(households.root, "SELECT count(*) AS n FROM segment_changes WHERE kind = 'corrected' AND reason = 'late'")
    assert row["n"] >= 3
