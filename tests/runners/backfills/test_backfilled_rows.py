"""Feature rows of past days: of groups that are in force, at the end of each day, beside the columns of others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from runners.backfills.backfilling import backfill
from runners.backfills.intervals import Period, day_ends
from schemas.definitions.catalog import read_project
from schemas.definitions.selection import select
from schemas.errors import CallError, NothingSelected
from tests.support.backfilled import PEOPLE, YEAR, Said, T, backfilled, did, order, published, redefined, world
from tests.support.generator import Generator
from tests.support.oracle import feature
from tests.support.oracle_model import DAY, Event, World
from tests.support.whole_runs import NOW, Target, as_number, crowded, shuffled
from tests.support.worlds import language

ORDERS: Said = {"features": "orders", "purpose": "p", "source": {"event": "order"}, "aggregates": [{"name": "n", "op": "count"}]}
SPENT = {"name": "value", "op": "sum", "of": "value", "windows": ["30d"]}
SPEND: Said = {"features": "spend", "purpose": "p", "source": {"event": "order"}, "aggregates": [SPENT]}
SEGMENTS = [did("buyers", ">= 1", "lifetime")]
MIDDAY = YEAR.from_at + 100 * DAY + DAY // 2
@pytest.fixture
def target(tmp_path: Path) -> Target:
    """Orders are counted since the middle of a day in April, spending since the end."""
    target = Target(tmp_path, world(SEGMENTS, [ORDERS])).sharded(2)
    target.write(world(SEGMENTS).events)
    target.run(MIDDAY)
    target.run(T)
    redefined(target, SEGMENTS, [ORDERS, SPEND]).run(T)
    return target


def row_at(target: Target, who: str, at: int) -> dict[str, Any]:
    """The row at T, empty where there is none."""
    return rows_at(target, [at])[at].get(who, {})


_ROWS_AT = """
FROM feature_rows WHERE as_of <= make_timestamptz({}) QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1
"""


def rows_at(target: Target, instants: Sequence[int]) -> dict[int, dict[str, dict[str, Any]]]:
    """At each T the row of each subject."""
    with target.lake() as lake:
        found = {at: lake.arrow(_ROWS_AT.format(at)).to_pylist() for at in instants}
    return {at: {row["subject"]: row for row in rows} for at, rows in found.items()}


def told(target: Target, column: str, instants: Sequence[int]) -> dict[tuple[str, int], object]:
    """A column at each T, of each subject."""
    rows = rows_at(target, instants)
    return {(who, at): rows[at].get(who, {}).get(column) for who in PEOPLE for at in instants}


def some_days(period: Period) -> list[int]:
    return [int(at) for at in day_ends(period, "UTC")[::13]]


def test_at_the_end_of_each_past_day_a_new_feature_has_the_value_that_it_had_then(target: Target) -> None:
    backfilled(target, YEAR, "spend")
    whole = world(SEGMENTS, [ORDERS, SPEND])
    found = told(target, "spend__value_30d", some_days(YEAR))
    assert found == {(who, at): feature(whole, "spend__value_30d", who, at, T) for who, at in found}
    assert len(set(found.values())) > 20


def test_a_group_of_a_source_that_has_to_be_read_again_is_a_runs_to_compute(target: Target) -> None:
    source = target.folder / "sources" / "shop.yaml"
    source.write_text(source.read_text().replace("value: int", "value: int\n  colour: string"))
    with pytest.raises(CallError, match="SEG-0921 the warehouse does not hold what is declared now of `shop`"):
        backfilled(target, YEAR, "spend")


def test_the_columns_of_other_groups_are_what_they_were(target: Target) -> None:
    asked = [*some_days(YEAR), MIDDAY - 1, MIDDAY, MIDDAY + 1, T]
    before = told(target, "orders__n_lifetime", asked)
    backfilled(target, YEAR, "spend")
    assert told(target, "orders__n_lifetime", asked) == before
    row = row_at(target, "ann", MIDDAY)
    assert row["spend__value_30d"] == feature(world(SEGMENTS, [ORDERS, SPEND]), "spend__value_30d", "ann", MIDDAY, T)


def test_what_runs_have_written_last_stands_and_the_next_run_goes_on_from_it(target: Target) -> None:
    before = rows_at(target, [T])
    backfilled(target, Period(YEAR.from_at, T), "spend")
    assert rows_at(target, [T]) == before
    target.write([order("ann", 367)])
    target.run(T + 20 * DAY)
    whole = replace(world(SEGMENTS, [ORDERS, SPEND]), events=(*world(SEGMENTS).events, order("ann", 367)))
    assert differing(target, whole, [T + 20 * DAY], target.runs()[-1].known_at) == []


def test_computed_again_the_rows_are_the_same(target: Target) -> None:
    rows = f"SELECT * EXCLUDE run_id FROM feature_rows WHERE as_of <= make_timestamptz({T}) ORDER BY ALL"
    backfilled(target, YEAR, "spend")
    before = target.rows(rows)
    target.write([order("dan", 366)])
    target.run(T + DAY)
    done = backfilled(target, YEAR, "spend")
    assert (done.done_before, target.rows(rows)) == (0, before)


LAST = {"name": "value", "op": "last", "of": "value", "windows": ["5d"]}
SEEN: Said = {"features": "seen", "purpose": "p", "source": {"event": "order"}, "aggregates": [LAST]}
"""It mostly tells nothing: nobody orders every five days."""


class Died(Exception):
    """The backfill has come as far as it was to."""


def died(target: Target, period: Period, at: str) -> None:
    """A backfill that ends behind the commit of an interval."""
    project = read_project(target.folder, language())

    def tell(stage: str, *_: float) -> None:
        if stage == at:
            raise Died

    with pytest.raises(Died):
        backfill(project, select(project, "seen"), period, lambda: NOW, tell)


HALF = Period(YEAR.from_at, YEAR.from_at + 200 * DAY)


@pytest.mark.parametrize(("more", "asked"), [([], YEAR), ([order("dan", 365)], YEAR), ([order("dan", 365)], HALF)])
def test_rows_of_a_backfill_that_died_are_no_end_to_those_behind_them(tmp_path: Path, more: list[Event], asked: Period) -> None:
    """Some of them tell something where no run has: only what a run has told last stays, with all after it."""
    left, other = (Target(tmp_path / name, world(SEGMENTS, [SEEN])).sharded(2) for name in ("left", "other"))
    for one in (left, other):
        one.write([*world(SEGMENTS).events, *more])
        one.run(T)
    died(other, asked, "interval 3")
    for one in (left, other):
        backfilled(one, YEAR, "seen")
    rows = "SELECT * EXCLUDE run_id FROM feature_rows ORDER BY ALL"
    assert other.rows(rows) == left.rows(rows) and len(left.rows(rows)) > 100


def test_a_group_that_no_run_has_put_in_force_is_told_to_wait(tmp_path: Path) -> None:
    target = redefined(published(tmp_path, SEGMENTS, [ORDERS]), [*SEGMENTS, did("lately", ">= 1", "10d")], [ORDERS, SPEND])
    with pytest.raises(NothingSelected, match="once a run has put it in force"):
        backfilled(target, YEAR, "spend")
    done = backfilled(target, YEAR, "spend lately")
    assert ([*done.backfill.segments], [*done.backfill.features], len(done.notes)) == (["lately"], [], 1)


def rows_of_random_days_are_the_oracles(folder: Path, seed: int) -> None:
    """Features of any kind, put in force late: at the ends of some days, what the oracle says as known at K."""
    dice = Random(seed)
    generator = Generator(dice, merges=True, scored=True)
    whole = crowded(generator, 4)
    bare = replace(whole, project={**whole.project, "segments": [], "features": []})
    target, at = Target(folder, bare).sharded(3), generator.at() + 3 * DAY
    target.write(shuffled(whole, dice))
    target.run(at)
    target.define(whole)
    target.sharded(2).run(at)
    period = Period(at - dice.choice((4, 10)) * DAY, at)
    done = backfilled(target, period, "grp").backfill
    days = day_ends(period, whole.project["timezone"])
    assert differing(target, whole, [int(day) for day in dice.sample([*days], min(3, len(days)))], done.known_at) == []
    assert differing(target, whole, [at], target.runs()[-1].known_at) == []


def differing(target: Target, world: World, instants: list[int], known_at: int) -> list[tuple[object, ...]]:
    """(subject, T, column, written, the oracle's) wherever these two are not the same."""
    found = rows_at(target, instants)
    rows = [(who, at, row) for at, those in found.items() for who, row in those.items()]
    asked = [(who, at, name, as_number(value)) for who, at, row in rows for name, value in row.items()]
    pairs = [(*one, feature(world, one[2], one[0], one[1], known_at)) for one in asked if "__" in one[2]]
    return [pair for pair in pairs if pair[3] != pair[4]]


@pytest.mark.parametrize("seed", [5])
def test_rows_of_past_days_are_the_oracles(tmp_path: Path, seed: int) -> None:
    rows_of_random_days_are_the_oracles(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(300, 330))
def test_rows_of_past_days_of_random_worlds_at_length(tmp_path: Path, seed: int) -> None:
    rows_of_random_days_are_the_oracles(tmp_path, seed)


def test_days_end_where_the_next_begins_in_the_projects_timezone() -> None:
    ends = day_ends(Period(0, 2 * DAY), "UTC")
    assert np.array_equal(ends, [DAY, 2 * DAY])
    assert np.array_equal(day_ends(Period(0, DAY), "Europe/Berlin"), [DAY - 3_600_000_000])


WINTER = Period(YEAR.to_at - 31 * DAY, T + 20 * DAY)


@pytest.fixture
def quiet(tmp_path: Path) -> tuple[Target, World]:
    """All have rows of runs at T. Twenty days on no run has any to write: what was seen is in force, and tells nothing."""
    target = Target(tmp_path, world(SEGMENTS, [ORDERS])).sharded(2)
    whole = world(SEGMENTS, [ORDERS, SEEN])
    late = tuple(order(who, 364) for who in PEOPLE)
    target.write(whole.events)
    target.run(MIDDAY)
    target.write(late)
    target.run(T)
    target.define(whole)
    target.run(WINTER.to_at)
    assert target.rows("SELECT DISTINCT epoch_us(as_of) FROM feature_rows ORDER BY 1") == [(MIDDAY,), (T,)]
    return target, replace(whole, events=(*whole.events, *late))


def test_where_rows_end_is_not_moved_by_a_backfill_that_has_changed_all_that_runs_wrote_last(quiet: tuple[Target, World]) -> None:
    target, whole = quiet
    winter = backfilled(target, WINTER, "seen").backfill.backfill_id
    assert target.rows(f"SELECT DISTINCT run_id FROM feature_rows WHERE as_of = make_timestamptz({T})") == [(winter,)]
    backfilled(target, YEAR, "seen")
    found = told(target, "seen__value_5d", some_days(YEAR))
    assert found == {(who, at): feature(whole, "seen__value_5d", who, at, WINTER.to_at) for who, at in found}


def test_who_tells_nothing_at_the_last_t_goes_on_telling_nothing(quiet: tuple[Target, World]) -> None:
    target, _ = quiet
    backfilled(target, WINTER, "seen")
    assert {*told(target, "seen__value_5d", [T]).values()} == {364}
    assert {*told(target, "seen__value_5d", [WINTER.to_at]).values()} == {None}


def test_a_backfill_that_died_writes_nothing_behind_a_refresh_to_an_earlier_t(tmp_path: Path) -> None:
    target = Target(tmp_path, world(SEGMENTS, [SEEN])).sharded(2)
    target.write(world(SEGMENTS).events)
    target.run(T + 10 * DAY)
    died(target, HALF, "interval 3")
    target.run(T, full_refresh=True)
    assert backfilled(target, HALF, "seen").done_before > 0
    assert target.rows("SELECT epoch_us(max(as_of)) FROM feature_rows") == [(T,)]
