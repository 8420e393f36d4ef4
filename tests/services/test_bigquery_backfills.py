"""A backfill into a dataset of BigQuery, killed in an interval and called again, leaves what it leaves in a DuckLake."""

import signal
from pathlib import Path

import pytest

from runners.backfills.intervals import Period
from tests.services.test_bigquery import InBigQuery
from tests.support.backfilled import BEFORE, YEAR, Said, T, backfilled, called, memberships, redefined, world
from tests.support.oracle_model import DAY
from tests.support.whole_runs import Target

pytestmark = pytest.mark.services
QUARTER, DATES = Period(YEAR.from_at, YEAR.from_at + 90 * DAY), ("--from", "2025-01-01", "--to", "2025-04-01")
ORDERS: Said = {"features": "orders", "purpose": "p", "source": {"event": "order"}, "aggregates": [{"name": "n", "op": "count"}]}
WANTED = "lately loyal orders"


def begun(target: Target) -> Target:
    """A year is published; then other segments are defined."""
    target.sharded(2)
    target.write(world(BEFORE, [ORDERS]).events)
    target.run(T)
    return redefined(target, features=[ORDERS])


def told(target: Target) -> list[object]:
    rows = "SELECT * EXCLUDE run_id FROM feature_rows ORDER BY ALL"
    intervals = "SELECT number, status, memberships, feature_rows FROM backfill_intervals ORDER BY number"
    return [memberships(target), target.rows(rows), target.rows(intervals), target.history()]


def test_killed_in_the_second_month_it_goes_on_there_and_leaves_the_same(dataset: str, tmp_path: Path) -> None:
    given = world(BEFORE, [ORDERS])
    embedded, target = begun(Target(tmp_path / "embedded", given)), begun(InBigQuery(tmp_path / "target", given, dataset))
    backfilled(embedded, QUARTER, WANTED)
    log = tmp_path / "fired"
    killed = called(target, *DATES, "--select", WANTED, SEGUE_FAULT="script_sent:3", SEGUE_FAULT_LOG=str(log))
    assert (killed.returncode, log.read_text()) == (-signal.SIGKILL, "script_sent:3\n"), killed.stderr
    done = backfilled(target, QUARTER, WANTED)
    assert done.done_before in (1, 2), "a script that was sent may be carried out"
    assert told(target) == told(embedded)
    for one in (target, embedded):
        one.run(T)
    assert [target.history(), memberships(target)] == [embedded.history(), {}]
