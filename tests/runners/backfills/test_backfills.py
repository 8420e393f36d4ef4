"""The past of definitions that are new or changed, interval by interval, until a run puts them in force."""

import json
import signal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from runners.backfills.intervals import Period, months
from runners.backfills.past import pieces
from runners.warehouses.backfills import DONE, PENDING, Backfill, backfills
from schemas.errors import CallError, NothingSelected
from tests.support.backfilled import (
    AFTER,
    BEFORE,
    YEAR,
    T,
    backfilled,
    called,
    did,
    everything,
    memberships,
    order,
    published,
    redefined,
    within,
)
from tests.support.histories import History
from tests.support.oracle_model import DAY
from tests.support.planned import segue
from tests.support.whole_runs import Target, standing
from transforms.algebra.order import FALSE, TRUE, Steps

YEAR_LONG = ("--from", "2025-01-01", "--to", "2026-01-01")


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return redefined(published(tmp_path))


def noted(target: Target) -> list[Backfill]:
    with target.lake() as lake:
        return backfills(lake)


def statuses(target: Target) -> list[str]:
    return [status for (status,) in target.rows("SELECT status FROM backfill_intervals ORDER BY number")]


def test_a_year_is_twelve_months_and_they_say_what_one_run_says(target: Target) -> None:
    done = everything(target, YEAR)
    assert [interval.number for interval in done.intervals] == [*range(1, 13)]
    assert [*done.backfill.segments] == ["lately", "loyal"], "what is in force is not computed again"
    found = memberships(target)
    target.run(T)
    history = {key: value for key, value in target.history().items() if key[0] in ("lately@1", "loyal@2")}
    assert found == within(history, YEAR) != {}


def test_what_is_backfilled_is_not_published_until_a_run_puts_it_in_force(target: Target) -> None:
    tables = ("segment_transitions", "segment_changes", "segment_membership", "run_manifest", "segment_versions")
    before = [target.rows(f"FROM {table} ORDER BY ALL") for table in tables]
    everything(target, YEAR)
    assert [target.rows(f"FROM {table} ORDER BY ALL") for table in tables] == before
    assert memberships(target)
    target.run(T)
    assert memberships(target) == {}
    assert {key[0] for key in target.history()} == {"buyers@1", "lately@1", "loyal@2"}


def test_killed_in_the_seventh_interval_it_goes_on_with_the_seventh(target: Target, tmp_path: Path) -> None:
    log = tmp_path / "fired"
    killed = called(target, *YEAR_LONG, SEGUE_FAULT="order_taken:8", SEGUE_FAULT_LOG=str(log))
    assert (killed.returncode, log.read_text()) == (-signal.SIGKILL, "order_taken:8\n"), killed.stderr
    assert statuses(target) == [DONE] * 6 + [PENDING] * 6
    done = everything(target, YEAR)
    assert (done.done_before, statuses(target)) == (6, [DONE] * 12)
    assert [*(target.folder / "lake" / "handed").glob("*/")] == []
    found = memberships(target)
    other = redefined(published(tmp_path / "undisturbed"))
    everything(other, YEAR)
    assert found == memberships(other) != {}


@pytest.mark.parametrize("point", ["order_handed:3", "order_taken:3", "order_put:3"])
def test_stopped_by_ctrl_c_nothing_is_half_done_and_nothing_lies_about(target: Target, tmp_path: Path, point: str) -> None:
    log = tmp_path / "fired"
    stopped = called(target, *YEAR_LONG, SEGUE_FAULT=point, SEGUE_FAULT_LOG=str(log), SEGUE_FAULT_SIGNAL="SIGINT")
    assert (stopped.returncode, log.read_text()) == (130, f"{point}\n"), stopped.stderr
    assert "SEG-0130" in stopped.stderr
    count = 2 if point == "order_put:3" else 1
    assert statuses(target) == [DONE] * count + [PENDING] * (12 - count)
    assert [*(target.folder / "lake" / "handed").glob("*/")] == []


def test_the_same_call_again_does_nothing_until_something_has_come(target: Target) -> None:
    first = backfilled(target)
    again = backfilled(target)
    assert (again.backfill, again.done_before) == (first.backfill, 12)
    redefined(target, BEFORE).write([order("ann", 366)])
    target.run(T + DAY)
    later = backfilled(redefined(target))
    assert later.done_before == 0 and later.backfill.known_at > first.backfill.known_at
    assert statuses(target) == [DONE] * 24


def test_what_is_computed_anew_takes_the_place_of_what_it_overlaps_and_the_rest_stays(target: Target) -> None:
    backfilled(target, Period(YEAR.from_at, YEAR.from_at + 200 * DAY))
    backfilled(target, Period(YEAR.from_at + 100 * DAY, YEAR.to_at))
    found = memberships(target)
    other = redefined(published(target.folder / "other"))
    backfilled(other, YEAR)
    assert found == memberships(other) != {}


def test_a_definition_that_changes_again_leaves_nothing_of_what_it_was(target: Target) -> None:
    backfilled(target)
    redefined(target, [*AFTER[:2], did("lately", ">= 2", "10d")])
    done = backfilled(target, YEAR, "lately")
    assert [{*one.segments} for one in noted(target)] == [{"loyal"}, {"lately"}] and noted(target)[1] == done.backfill
    loyal = {key: value for key, value in memberships(target).items() if key[0] != "lately@1"}
    assert {key[0] for key in loyal} == {"loyal@2"}, "what it did not ask for stays"
    lately = {key: value for key, value in memberships(target).items() if key[0] == "lately@1"}
    target.run(T)
    assert lately == within({key: value for key, value in target.history().items() if key[0] == "lately@1"}, YEAR) != {}


def test_a_definition_that_is_again_what_it_was_is_computed_again(target: Target) -> None:
    backfilled(target, YEAR)
    before = memberships(target)
    redefined(target, [*AFTER[:2], did("lately", ">= 2", "10d")])
    backfilled(target, YEAR, "lately")
    again = backfilled(redefined(target), YEAR)
    assert (again.done_before, memberships(target)) == (0, before)


def test_what_stays_of_a_backfill_is_told_by_a_comparison_of_versions(target: Target) -> None:
    backfilled(target, YEAR)
    redefined(target, [*AFTER[:2], did("lately", ">= 2", "10d")])
    before = segue(target, "--format", "json", "diff", "loyal@1", "loyal@2")
    backfilled(target, YEAR, "lately")
    assert segue(target, "--format", "json", "diff", "loyal@1", "loyal@2")[:2] == before[:2]


def test_what_is_selected_and_in_force_is_left_alone(target: Target) -> None:
    with pytest.raises(NothingSelected, match="nothing that is selected is new or changed"):
        backfilled(target, YEAR, "buyers")
    assert [*backfilled(target, YEAR, "buyers lately").backfill.segments] == ["lately"]


def test_a_period_lies_before_the_last_published_t(target: Target) -> None:
    with pytest.raises(CallError, match="lies after the last published T"):
        backfilled(target, Period(YEAR.from_at, T + 1))
    with pytest.raises(CallError, match="does not lie before"):
        backfilled(target, Period(YEAR.to_at, YEAR.from_at))


def test_what_the_warehouse_does_not_hold_is_a_runs_to_read(target: Target) -> None:
    asked = did("lately", ">= 1", "10d")
    asked["when"]["did"]["where"] = "colour = 'red'"
    redefined(target, [*AFTER[:2], asked])
    source = target.folder / "sources" / "shop.yaml"
    source.write_text(source.read_text().replace("value: int", "value: int\n  colour: string"))
    with pytest.raises(CallError, match="does not hold what is declared now of `shop`"):
        backfilled(target, YEAR, "lately")


def test_programs_and_people_are_told_of_each_interval(target: Target) -> None:
    code, said, noted = segue(target, "--format", "json", "backfill", *YEAR_LONG, "--select", "lately")
    told = json.loads(said)
    assert code == 0, noted
    assert (told["segments"], told["from"], told["done_before"]) == ({"lately": 1}, "2025-01-01T00:00:00.000000Z", 0)
    assert [one["status"] for one in told["intervals"]] == [DONE] * 12
    assert sum(one["memberships"] for one in told["intervals"]) == target.rows("SELECT count(*) FROM backfill_pieces")[0][0]
    code, said, _ = segue(target, "backfill", *YEAR_LONG, "--select", "lately")
    head, *lines, next_ = said.splitlines()
    assert head.startswith("lately@1: 12 intervals, 12 of them done before") and len(lines) == 12
    assert next_.startswith("the next `segue run` puts them in force")


def test_two_versions_stand_side_by_side_before_one_takes_the_place_of_the_other(target: Target) -> None:
    code, _, noted = segue(target, "diff", "loyal@1", "loyal@2")
    assert (code, "no version `loyal@2` was published" in noted) == (2, True)
    backfilled(target, YEAR, "loyal")
    code, said, noted = segue(target, "--format", "json", "diff", "loyal@1", "loyal@2", "--limit", "9")
    assert code == 0, noted
    told = json.loads(said)
    was = whose(target.history(), "loyal@1", YEAR.to_at - 1)
    would_be = whose(memberships(target), "loyal@2", YEAR.to_at - 1)
    (sizes,) = told["segments"]
    assert (sizes["before"], sizes["after"]) == (len(was), len(would_be))
    assert {one["reason"] for one in told["changes"]} == {"definition"}
    left = {who for one in told["changes"] if one["change"] == "left" for who in one["few"]}
    assert left == was - would_be != set()


def whose(history: History, name: str, at: int) -> set[str]:
    """The members of one version at T."""
    return {who for segment, who in standing(history, at) if segment == name}


def test_nothing_to_do_is_exit_3_unless_that_is_allowed(target: Target) -> None:
    redefined(target, BEFORE)
    assert segue(target, "backfill", *YEAR_LONG)[0] == 3
    assert segue(target, "backfill", *YEAR_LONG, "--allow-empty")[0] == 0


def test_who_is_a_member_for_ever_is_one_to_the_end_of_the_period() -> None:
    who, at, value = (np.array(column) for column in ([0, 1, 1, 1], [5, 2, 8, 12], [TRUE, TRUE, FALSE, TRUE]))
    found = pieces(Steps(who, at, value, np.zeros(2, np.int8)), pa.array(["ann", "bob"]), Period(3, 10))
    assert found.to_pylist() == [
        {"subject": "ann", "valid_from": 5, "valid_to": 10},
        {"subject": "bob", "valid_from": 3, "valid_to": 8},
    ]


def test_months_are_those_of_the_projects_timezone() -> None:
    spring = Period(1_740_787_200_000_000, 1_745_000_000_000_000)  # from 2025-03-01T00:00Z
    parts = months(spring, "Europe/Berlin")
    assert parts == [Period(spring.from_at, 1_743_458_400_000_000), Period(1_743_458_400_000_000, spring.to_at)]  # 22:00Z
    assert months(Period(0, 1), "UTC") == [Period(0, 1)]
