"""Backfills: the past of definitions that are new or changed, interval after interval, beside whatever else writes."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from runners.backfills.candidates import Candidates
from runners.backfills.intervals import Period, months
from runners.backfills.past import Past
from runners.runs.keeping import GONE, gone, see_that_answers_are_left
from runners.runs.run_plan import canonical
from runners.streams.handing import hand_in, new_order
from runners.warehouses.backfills import (
    DONE,
    FAILED,
    PENDING,
    Backfill,
    Interval,
    Order,
    backfills,
    intervals_of,
)
from runners.warehouses.entry import open_warehouse, place_of
from runners.warehouses.lake import Lake
from runners.warehouses.published import LastRun, last_run, published
from schemas.definitions.instant import write_instant
from schemas.definitions.project import Project
from schemas.definitions.selection import Selection
from schemas.errors import CallError, JobFailed, NothingSelected, SegueError
from transforms.faults import reach

Tell = Callable[[str, int, float], None]
"""Told of progress: what is done, how much of it, and which share of all that is."""


class Backfilled(NamedTuple):
    """What a call has come to: the backfill and its intervals, how many were done before, and notes."""

    backfill: Backfill
    intervals: tuple[Interval, ...]
    done_before: int
    notes: tuple[str, ...]

    def see_that_none_failed(self) -> None:
        """Errors: JobFailed where intervals did."""
        failed = [one for one in self.intervals if one.status == FAILED]
        if failed:
            message = f"{len(failed)} of {len(self.intervals)} intervals failed: {_numbers(failed)}"
            raise JobFailed("SEG-0922", message, _way_on(failed))


def _numbers(intervals: Sequence[Interval]) -> str:
    return ", ".join(str(one.number) for one in intervals)


def _way_on(failed: Sequence[Interval]) -> str:
    """What is left to do about intervals that failed: those of which events are gone can not be computed any more."""
    lost = [one for one in failed if one.error == GONE]
    if lost:
        return f"events of the time of {_numbers(lost)} are gone: begin later"
    return "the others are done, and the same call computes these again"


def backfill(project: Project, chosen: Selection, period: Period, now: Callable[[], int], tell: Tell) -> Backfilled:
    """Compute the past of what is selected and not there yet; what an earlier call has done is not done again.

    An interval that can not be put into the warehouse has failed, as one has of which events went while it was computed; the
    others go on.

    Errors: CallError, NothingSelected, TryAgain. What was done until then stays done.
    """
    with open_warehouse(project) as lake, lake.snapshot():
        last = published(lake)
        see_that_answers_are_left(lake, project, period.from_at)
        wanted = Candidates.of(lake, project, chosen, last)
        one, intervals = _begun(lake, project, wanted, _within(period, last), last, now())
    if not intervals:
        intervals = _parted(one, project)
        _hand_in(project, new_order(place_of(project)), Order(one, intervals), partial(tell, "wait for the warehouse", 0, 0.0))
    open_ones = [interval for interval in intervals if interval.status != DONE]
    done = {interval.number: interval for interval in _carried_out(project, one, open_ones, now, tell)}
    ended = tuple(done.get(interval.number, interval) for interval in intervals)
    return Backfilled(one, ended, len(intervals) - len(open_ones), wanted.notes)


def _within(period: Period, last: LastRun) -> Period:
    """Errors: CallError for a period that is none, or that the last run has not come to."""
    if period.from_at >= period.to_at:
        raise CallError("SEG-0920", "--from does not lie before --to", "the period is from --from on, up to --to")
    if period.to_at > last.t_at:
        message = f"--to = {write_instant(period.to_at)} lies after the last published T, {write_instant(last.t_at)}"
        raise CallError("SEG-0920", message, "what comes after it is the next run's")
    return period


def _begun(
    lake: Lake, project: Project, wanted: Candidates, period: Period, last: LastRun, now: int
) -> tuple[Backfill, tuple[Interval, ...]]:
    """The same request, where it is not ended or nothing has come since; else a new one, without intervals so far."""
    if not wanted.segments and not wanted.features:
        hint = "`segue plan` tells what is new or changed; feature groups that are in force are named by --select"
        raise NothingSelected("SEG-0903", "; ".join(wanted.notes) or "nothing that is selected is new or changed", hint)
    request = _hash([wanted.definitions, *period, project.timezone])
    for one in reversed(backfills(lake)):
        if one.request == request:
            intervals = tuple(intervals_of(lake, one.backfill_id))
            if one.known_at == last.known_at or any(interval.status != DONE for interval in intervals):
                return one, intervals
            break
    about = (*period, last.t_at, last.known_at, wanted.definitions, last.run_id)
    return Backfill(_hash([request, last.known_at]), request, now, *about), ()


def _hash(value: object) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]


def _parted(one: Backfill, project: Project) -> tuple[Interval, ...]:
    parts = months(Period(one.from_at, one.to_at), project.timezone)
    return tuple(Interval(one.backfill_id, number, *part) for number, part in enumerate(parts, 1))


def _carried_out(
    project: Project, one: Backfill, intervals: Sequence[Interval], now: Callable[[], int], tell: Tell
) -> Iterator[Interval]:
    """Compute intervals, and hand them in one after the other."""
    if not intervals:
        return
    with _folders(place_of(project), intervals) as folders:
        with open_warehouse(project) as lake:
            past = Past(lake, project, one, folders, published(lake))
            past.compute(partial(tell, "look at subjects"))
            horizon_at = gone(project, last_run(lake))["horizon_at"]  # what went by then may have gone before it was read
        reach("past_computed")
        for done, (interval, place) in enumerate(folders.items()):
            ended = replace(past.told(interval), status=DONE, ended_at=now(), error=None)
            ended = _failed(ended, GONE) if interval.from_at < horizon_at else ended
            waiting = partial(tell, f"interval {interval.number}", done, done / len(folders))
            try:
                _hand_in(project, place, Order(one, (ended,)), waiting)
            except JobFailed as error:  # it was noted; the others may go well
                yield _failed(ended, error.code)
                continue
            reach("interval_done")
            yield ended


def _failed(interval: Interval, code: str) -> Interval:
    return replace(interval, status=FAILED, memberships=None, feature_rows=None, error=code)


@contextmanager
def _folders(root: Path, intervals: Sequence[Interval]) -> Iterator[dict[Interval, Path]]:
    """A folder for what each interval hands in; those that are not handed in go."""
    found = {interval: new_order(root) for interval in intervals}
    try:
        yield found
    finally:
        for place in found.values():
            rmtree(place, ignore_errors=True)


def _hand_in(project: Project, place: Path, order: Order, waiting: Callable[[], None]) -> None:
    """Hand an order in; that it failed is noted with its intervals, if that can be."""
    alone = partial(open_warehouse, project, write=True)
    try:
        hand_in(place, order, alone, waiting)
    except SegueError as error:
        failed = tuple(_failed(one, error.code) for one in order.intervals if one.status != PENDING)
        with suppress(SegueError):  # what it failed on is what is told
            hand_in(new_order(place_of(project)), Order(order.backfill, failed), alone, waiting)
        raise
