"""Boolean algebra over step functions: Kleene's by counting the false and the unknown."""

from collections.abc import Sequence

import numpy as np

from transforms.algebra.order import FALSE, TRUE, Ints, Steps, Truths, before, lasts, order, running, turning
from transforms.algebra.truth import OPPOSITE

_FALSE = 1 << 32
_COUNTED = np.array([_FALSE, 0, 1], np.int64)
"""What each truth adds to a count: the false in the high half of a number, the unknown in the low one."""


def remap(steps: Steps, table: Truths) -> Steps:
    """Put each truth through `table`: `not`, and `missing`."""
    return turning(steps.who, steps.at, table[steps.value], table[steps.initial])


def every(children: Sequence[Steps]) -> Steps:
    """True where all children are: false wins over unknown."""
    if len(children) == 1:
        return children[0]
    who = np.concatenate([child.who for child in children])
    at = np.concatenate([child.at for child in children])
    change = np.concatenate([_change(child) for child in children])
    initial = sum((_COUNTED[child.initial] for child in children), start=np.zeros(1, np.int64))
    index = order(who, at)
    who, at, change = who[index], at[index], change[index]
    final = lasts(who, at)
    totals, who = running(who, change)[final], who[final]
    return turning(who, at[final], _truth(initial[who] + totals), _truth(initial))


def either(children: Sequence[Steps]) -> Steps:
    """True where any child is: not all not."""
    return remap(every([remap(child, OPPOSITE) for child in children]), OPPOSITE)


def _change(child: Steps) -> Ints:
    return _COUNTED[child.value] - _COUNTED[before(child.who, child.value, child.initial)]


def _truth(counts: Ints) -> Truths:
    truth = (counts > 0).astype(np.int8) + np.int8(TRUE)  # unknown where anything is, and nothing false
    truth[counts >= _FALSE] = FALSE
    return truth
