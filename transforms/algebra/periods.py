"""Events by the calendar unit of T: the zone valid at T serves for all units (semantics 2, the last line)."""

from typing import NamedTuple

import numpy as np

from schemas.definitions.reference import EventReference
from schemas.definitions.window import PROFILE, Lifetime, Unit, calendar_zone
from transforms.algebra.calendars import day_starts, local_days, unit_first
from transforms.algebra.order import BEGINNING, FOREVER, Ints
from transforms.algebra.pieces import Pieces, meetings, pieces
from transforms.algebra.reduce import Contributions
from transforms.algebra.view import View


class InUnits(NamedTuple):
    """Contributions, and for each the place of its event in the timeline and the first local date of its unit."""

    rows: Contributions
    chosen: Ints
    unit: Ints


def in_units(view: View, reference: EventReference, unit: Unit, tz: str, first: int, last: int | None) -> InUnits:
    """Where events lie from `first` to `last` units before the one that holds T; without `last`, at least `first`.

    Of a subject that moves, each piece of T in one zone has contributions of its own.
    """
    selected, _ = view.select(reference, Lifetime())
    homes, names = _homes(view, tz)
    event, home = meetings(selected.rows.who, selected.rows.start, selected.rows.stop, homes)
    in_time = np.argsort(home, kind="stable")
    event, home = event[in_time], home[in_time]
    at, zone = selected.at[event], homes.value[home]
    start, stop, units = np.empty_like(at), np.full(len(at), FOREVER), np.empty_like(at)
    for code, name in enumerate(names):
        rows = zone == code
        days = local_days(at[rows], name)
        units[rows] = unit_first(days, unit, 0)
        start[rows] = np.maximum(at[rows], day_starts(unit_first(days, unit, first), name))
        if last is not None:
            stop[rows] = day_starts(unit_first(days, unit, last + 1), name)
    clipped = selected.rows.take(event)
    start = np.maximum(np.maximum(start, homes.from_at[home]), clipped.start)
    stop = np.minimum(np.minimum(stop, homes.to_at[home]), clipped.stop)
    counting = start < stop
    counted = Contributions(clipped.who, start, stop).take(counting)
    return InUnits(counted, selected.chosen[event][counting], units[counting])


def _homes(view: View, tz: str) -> tuple[Pieces, tuple[str, ...]]:
    """The zones of each stint's subject over T, as pieces of time, and their names."""
    zone = calendar_zone(tz, view.project.timezone)
    if zone != PROFILE:
        always = np.full(view.size, BEGINNING), np.full(view.size, FOREVER)
        return Pieces(np.arange(view.size), *always, np.zeros(view.size, np.int64)), (zone,)
    names, steps = view.timeline.facts.zones
    return pieces(view.of_subjects(steps)), names
