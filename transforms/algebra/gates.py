"""Boolean algebra over step functions: Kleene's by counting the false and the unknown, all gates of a level in one pass."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from transforms.algebra.order import FALSE, TRUE, Ints, Steps, Truths, before, lasts, order, running, turning
from transforms.algebra.stacks import apart, stacked

Table = tuple[int, int, int]
"""What false, true and unknown are put through."""
Edge = tuple[Steps, Table]
"""A child, and the table of its truth: `not`, `missing`, or nothing."""

_FALSE = 1 << 32
_COUNTED = np.array([_FALSE, 0, 1], np.int64)
"""What each truth adds to a count: the false in the high half of a number, the unknown in the low one."""


def conjoined(gates: Sequence[Sequence[Edge]], count: int) -> list[Steps]:
    """For each gate where all its children are true: false wins over unknown. Each child is of `count` who."""
    edges = [edge for gate in gates for edge in gate]
    fans = np.array([len(gate) for gate in gates])
    children = stacked([steps for steps, _ in edges], count)
    counted = _COUNTED[np.array([table for _, table in edges])]
    sizes = np.array([len(steps.who) for steps, _ in edges])
    initial = _looked_up(counted, np.full(len(edges), count), children.initial)
    now = _looked_up(counted, sizes, children.value)
    change = now - before(children.who, now, initial)
    back = np.repeat(np.arange(len(gates)), fans) - np.arange(len(edges))
    who, at, change = _in_order(children.who + np.repeat(back * count, sizes), children.at, change)
    first = np.add.reduceat(initial.reshape(len(edges), count), np.cumsum(fans) - fans, axis=0).ravel()
    final = lasts(who, at)
    totals, who = running(who, change)[final], who[final]
    return apart(turning(who, at[final], _truth(first[who] + totals), _truth(first)), len(gates), count)


def _looked_up(tables: Ints, sizes: Ints, value: npt.NDArray[np.integer]) -> Ints:
    """Each value by the table of the edge it is of."""
    width = tables.shape[1]
    return tables.ravel()[np.repeat(np.arange(len(sizes)) * width, sizes) + value]


def _in_order(who: Ints, at: Ints, change: Ints) -> tuple[Ints, Ints, Ints]:
    index = order(who, at)
    return who[index], at[index], change[index]


def _truth(counts: Ints) -> Truths:
    truth = (counts > 0).astype(np.int8) + np.int8(TRUE)  # unknown where anything is, and nothing false
    truth[counts >= _FALSE] = FALSE
    return truth
