"""Boolean algebra over step functions: Kleene's by counting the false and the unknown."""

from collections.abc import Sequence

import numpy as np

from transforms.algebra.order import FALSE, TRUE, UNKNOWN, Ints, Steps, Truths, before, lasts, order, running, settle
from transforms.algebra.truth import OPPOSITE

_COUNTED = np.array([[1, 0], [0, 0], [0, 1]], np.int64)  # truth -> (false, unknown)


def remap(steps: Steps, table: Truths) -> Steps:
    """Put each truth through `table`: `not`, and `missing`."""
    return settle(steps.who, steps.at, table[steps.value], table[steps.initial])


def every(children: Sequence[Steps]) -> Steps:
    """True where all children are: false wins over unknown."""
    if len(children) == 1:
        return children[0]
    who = np.concatenate([child.who for child in children])
    at = np.concatenate([child.at for child in children])
    change = np.concatenate([_change(child) for child in children])
    initial = np.sum([_COUNTED[child.initial] for child in children], axis=0)
    index = order(who, at)
    who, at, change = who[index], at[index], change[index]
    final = lasts(who, at)
    totals = np.stack([running(who, change[:, kind])[final] for kind in (0, 1)], axis=1)
    return settle(who[final], at[final], _truth(initial[who[final]] + totals), _truth(initial))


def either(children: Sequence[Steps]) -> Steps:
    """True where any child is: not all not."""
    return remap(every([remap(child, OPPOSITE) for child in children]), OPPOSITE)


def _change(child: Steps) -> Ints:
    return _COUNTED[child.value] - _COUNTED[before(child.who, child.value, child.initial)]


def _truth(counts: Ints) -> Truths:
    open_question = np.where(counts[:, 1] > 0, UNKNOWN, TRUE)
    return np.where(counts[:, 0] > 0, FALSE, open_question).astype(np.int8)
