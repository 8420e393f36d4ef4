"""Step functions of many nodes as those of one: the `who` of the n-th node is its own plus n * count."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from transforms.algebra.order import Ints, Steps


def offsets(sizes: Sequence[int] | Ints, count: int) -> Ints:
    """What each row of parts of these sizes adds to its `who` when they are stacked."""
    return np.repeat(np.arange(len(sizes), dtype=np.int64) * count, sizes)


def stacked(parts: Sequence[Steps], count: int) -> Steps:
    """The parts, each of `count` functions, as one."""
    if len(parts) == 1:
        return parts[0]
    who, at, value, initial = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Steps(who + offsets([len(part.who) for part in parts], count), at, value, initial)


def cuts(who: Ints, number: int, count: int) -> Ints:
    """Where the rows of each of `number` parts begin, and where the last ends."""
    return np.searchsorted(who, np.arange(number + 1) * count)


def apart(steps: Steps, number: int, count: int) -> list[Steps]:
    """The parts that `stacked` put together."""
    if number == 1:
        return [steps]
    edges = cuts(steps.who, number, count)
    who = steps.who - offsets(np.diff(edges), count)
    edge = edges.tolist()
    return [
        Steps(who[low:high], steps.at[low:high], steps.value[low:high], steps.initial[place * count : (place + 1) * count])
        for place, (low, high) in enumerate(pairwise(edge))
    ]
