"""What leaves must have of the past: how far back each looks and, where it looks back for ever, which events it can not spare."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from schemas.definitions.reference import EventReference
from schemas.definitions.window import Between, Calendar, Last, Lifetime, Session, Since, Unit, Window
from transforms.algebra.anchors import session_ends
from transforms.algebra.folded import is_endless, leaf_name
from transforms.algebra.measure import Measure, Values
from transforms.algebra.order import FOREVER, Flags, Ints, firsts_of, lasts_of
from transforms.algebra.reduce import Contributions
from transforms.algebra.view import View

_DAY = 86_400_000_000
_LONGEST: dict[Unit, int] = {"day": 2, "week": 9, "month": 33, "quarter": 94, "year": 368}
"""Days that no unit exceeds, whatever its zone does to its clocks."""
_MOVE = 3 * _DAY
"""More than a subject's local date moves when it moves to another zone."""


class Held(NamedTuple):
    """Contributions, for each the place of its event in the timeline, and what an aggregate sees of it."""

    rows: Contributions
    chosen: Ints
    values: Values


Stays = Callable[[Contributions, Values], Flags]
"""Of contributions that began long ago and have not ended, those without which what comes can not be told."""


class Need(NamedTuple):
    """One thing that a leaf is computed from.

    Attributes:
      reach: it asks for nothing that lies further back than so many microseconds; None: it may ask for anything.
      held: what it is computed from, where it may.
      stays: which of the events of then it can not spare.
      summed: what of them it adds up, so that the last of them may stand for all.
      along: given which rows stay, the places of the events that must stay with them.
      broken: events that end it too soon where somebody collected them who may be somebody else again.
    """

    reach: int | None
    held: Callable[[View], Held]
    stays: Stays
    summed: Callable[[tuple[str, ...]], tuple[str, Measure]] | None = None
    along: Callable[[View, Flags], Ints] | None = None
    broken: tuple[EventReference, ...] = ()


def everything(rows: Contributions, values: Values) -> Flags:
    """All of them stay."""
    return np.ones(len(rows.who), np.bool_)


def first_few(most: int) -> Stays:
    """The first few stay."""
    return lambda rows, values: firsts_of(rows.who, most)


def last_few(most: int) -> Stays:
    """The last few stay."""
    return lambda rows, values: lasts_of(rows.who, most)


def within(reach: int) -> Need:
    """Nothing that lies further back is asked for."""
    return Need(reach, nothing, everything)


def within_units(unit: Unit, number: int) -> Need:
    """The same by units of any calendar."""
    return within(number * _LONGEST[unit] * _DAY + _MOVE)


def looked_at(reference: EventReference, window: Window, stays: Stays = everything) -> tuple[Need, ...]:
    """Events as they lie in a window; `stays` says which of those that never leave it can not be spared."""
    return in_window(window, lambda view: _selected(view, reference, window, None), stays, (reference,))


def in_window(
    window: Window, held: Callable[[View], Held], stays: Stays = everything, of: tuple[EventReference, ...] = ()
) -> tuple[Need, ...]:
    """What is `held` in a window, contributions `of` some events, and what else tells how long that lasts."""
    match window:
        case Last(length) | Between(length, _):
            return (within(length),)
        case Calendar(number, unit):
            return (within_units(unit, number + 1),)
        case Session(gap):
            return Need(None, held, everything), visits(gap)
        case Since(anchor):
            return Need(None, held, everything, broken=(*of, anchor)), *looked_at(anchor, Lifetime(), last_few(1))
    return (Need(None, held, stays),)


def visits(gap: int) -> Need:
    """The events of any name in a session that has not ended."""
    return Need(None, lambda view: _visits(view, gap), everything)


def all_events() -> Need:
    """The events of any name, for as long as they may be used."""
    return Need(None, _all_events, everything)


def added_up(measure: Measure, reference: EventReference, window: Window, column: str | None) -> tuple[Need, ...]:
    """Events of which an aggregate is made."""
    if not is_endless(window) or not measure.is_folded:
        return in_window(window, lambda view: _selected(view, reference, window, column), measure.stays, (reference,))

    def summed(purposes: tuple[str, ...]) -> tuple[str, Measure]:
        return leaf_name(purposes, measure, reference, window), measure

    return (Need(None, lambda view: _summed(view, measure, reference, window, column), measure.stays, summed),)


def nothing(view: View) -> Held:
    """No events."""
    none = np.empty(0, np.int64)
    return Held(Contributions(none, none, none), none, view.events(none))


def _selected(view: View, reference: EventReference, window: Window, column: str | None) -> Held:
    selected, values = view.select(reference, window, column)
    return Held(selected.rows, selected.chosen, values)


def _summed(view: View, measure: Measure, reference: EventReference, window: Window, column: str | None) -> Held:
    selected, values = view.summed(measure, reference, window, column)
    return Held(selected.rows, selected.chosen, values)


def _visits(view: View, gap: int) -> Held:
    return _counting(view, session_ends(view.timeline.who, view.timeline.at, gap))


def _all_events(view: View) -> Held:
    return _counting(view, np.full(len(view.timeline.who), FOREVER))


def _counting(view: View, stop: Ints) -> Held:
    timeline, every = view.timeline, np.arange(len(stop))
    return Held(timeline.clip(Contributions(timeline.who, timeline.at, stop), timeline.at), every, view.events(every))
