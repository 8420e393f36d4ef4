"""What a condition says of the latest event: true, false or unknown."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from schemas.definitions.expression import Expression
from schemas.definitions.reference import EventReference
from schemas.definitions.window import Window
from transforms.algebra.handover import handover
from transforms.algebra.order import FALSE, TRUE, UNKNOWN, Truths
from transforms.algebra.pending import Truth, cover
from transforms.algebra.reduce import Weight
from transforms.algebra.view import Evidence, View


@lru_cache(maxsize=10_000)
def tells(reference: EventReference, having: Expression) -> tuple[EventReference, EventReference]:
    """The events referred to for which the condition holds, and those for which it does not; it is null for the others."""
    return _narrowed(reference, having), _narrowed(reference, having.negated)


def _narrowed(reference: EventReference, condition: Expression) -> EventReference:
    where = condition if reference.where is None else reference.where.and_also(condition)
    return EventReference(reference.events, where)


def latest(view: View, reference: EventReference, having: Expression, window: Window) -> Truth:
    """The truth of the condition for the latest event in the window; unknown where there is none."""
    rows, chosen = latest_event(view, reference, window)
    holds, fails = (view.tells(chosen, one) for one in tells(reference, having))
    return cover(rows, [holds, fails], _truth)


def latest_event(view: View, reference: EventReference, window: Window) -> Evidence:
    """Each event while it is the latest in the window."""
    rows, chosen = view.evidence(reference, window)
    standing, index = handover(rows, np.zeros(len(rows.who), np.int64))
    return Evidence(standing, chosen if index is None else chosen[index])


def _truth(sums: Sequence[Weight]) -> Truths:
    holds, fails = sums
    truth: Truths = np.where(holds > 0, TRUE, np.where(fails > 0, FALSE, UNKNOWN)).astype(np.int8)
    return truth
