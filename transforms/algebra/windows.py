"""A window is a function from an event's instant to the interval of T in which it counts (semantics 2)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from schemas.definitions.window import PROFILE, Absolute, Ago, Between, Calendar, Last, Lifetime, Window
from transforms.algebra.calendars import day_starts, local_days, unit_first
from transforms.algebra.order import FOREVER, Ints


class Zones(NamedTuple):
    """The zone in force for each row: `names[code[row]]`."""

    names: tuple[str, ...]
    code: Ints

    def take(self, rows: Ints) -> "Zones":
        """The zones of some rows."""
        return Zones(self.names, self.code[rows])


OwnZones = Callable[[], Zones]


def interval(window: Window, at: Ints, zones: OwnZones) -> tuple[Ints, Ints]:
    """Where events at `at` count: `start` and `stop` of each, half-open; empty where start >= stop.

    `zones` gives the subject's own zone at each event, and is asked for only by windows with `tz: profile`. Windows that
    depend on other events, too, are the timeline's.
    """
    match window:
        case Last(length):
            return at, later(at, length)
        case Between(far, near):
            return later(at, near), later(at, far)
        case Ago(length):
            return later(at, length), np.full(len(at), FOREVER)
        case Lifetime():
            return at, np.full(len(at), FOREVER)
        case Absolute(from_at, to_at):
            inside = np.ones(len(at), np.bool_)
            inside &= True if from_at is None else at >= from_at
            inside &= True if to_at is None else at < to_at
            return at, np.where(inside, FOREVER, at)
        case Calendar():
            return _calendar(window, at, zones)
    raise TypeError(f"not a window of the kernel: {type(window).__name__}")


def own_days(at: Ints, zones: Zones) -> Ints:
    """The local date of each instant, by the zone in force for it."""
    days = np.empty(len(at), np.int64)
    for code, name in enumerate(zones.names):
        rows = zones.code == code
        days[rows] = local_days(at[rows], name)
    return days


def later(at: Ints, length: int) -> Ints:
    """Instants `length` later, never beyond the end of time."""
    return np.where(at > FOREVER - length, FOREVER, at + np.int64(length))


def _calendar(window: Calendar, at: Ints, own: OwnZones) -> tuple[Ints, Ints]:
    zones = own() if window.tz == PROFILE else Zones((window.tz,), np.zeros(len(at), np.int64))
    start, stop = at.copy(), at.copy()
    for code, name in enumerate(zones.names):
        rows = zones.code == code
        days = local_days(at[rows], name)
        skip = 0 if window.include_current else 1
        stop[rows] = day_starts(unit_first(days, window.unit, window.last + skip), name)
        if skip:
            start[rows] = day_starts(unit_first(days, window.unit, 1), name)
    return start, stop
