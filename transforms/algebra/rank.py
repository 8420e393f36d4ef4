"""The n-th event among those that count at T."""

import numpy as np

from schemas.definitions.reference import EventReference
from schemas.definitions.window import Lifetime, Window
from transforms.algebra.order import BEGINNING, Ints
from transforms.algebra.pending import Truth, reaches
from transforms.algebra.reduce import Contributions
from transforms.algebra.view import View


def nth(view: View, reference: EventReference, window: Window, rank: int) -> Truth:
    """Where the event of that rank lies in the window.

    An event is the n-th from when those before it but n - 1 have ceased to count, until the (n-1)-th before it does.
    """
    selected, _ = view.select(reference, Lifetime())
    who, start, stop = selected.rows
    start = np.maximum(start, _back(who, stop, rank, BEGINNING))
    stop = _back(who, stop, rank - 1, BEGINNING)
    opens, closes = view.timeline.interval(window, selected.chosen)
    rows = Contributions(who, np.maximum(start, opens), np.minimum(stop, closes))
    return reaches(rows.take(rows.start < rows.stop))


def _back(who: Ints, stop: Ints, lag: int, absent: int) -> Ints:
    """The stop of the row `lag` before, of the same `who`; `absent` where there is none."""
    if lag == 0:
        return stop
    result = np.full(len(who), absent)
    same = who[lag:] == who[:-lag]
    result[lag:][same] = stop[:-lag][same]
    return result
