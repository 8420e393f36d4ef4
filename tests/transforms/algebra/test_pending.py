"""Truths that are settled together are those that each would be alone."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.algebra.test_unrefused import steps_of
from transforms.algebra.order import FALSE, FOREVER, TRUE, UNKNOWN, Steps, settle, value_at
from transforms.algebra.pending import Truth, cover, either, every, reaches, remap, settle_all, settled
from transforms.algebra.reduce import Contributions
from transforms.algebra.truth import IDENTITY, OPPOSITE, resolve

COUNT = 3
TABLES = (IDENTITY, OPPOSITE, resolve(True), resolve(False))
RANDOMS = st.integers(0, 10**9).map(Random)


def steps(random: Random) -> Steps:
    """Functions of each `who` over few instants."""
    pairs = sorted({(random.randrange(COUNT), random.randrange(8)) for _ in range(random.randrange(8))})
    who, at = np.array([pair[0] for pair in pairs], np.int64), np.array([pair[1] for pair in pairs], np.int64)
    values = np.array([random.randrange(3) for _ in range(len(pairs) + COUNT)], np.int8)
    return settle(who, at, values[COUNT:], values[:COUNT])


def rows(random: Random) -> Contributions:
    """Windows that rise together, or now and then one that does not."""
    who = np.sort([random.randrange(COUNT) for _ in range(random.randrange(7))]).astype(np.int64)
    start = np.sort(who * 100 + [random.randrange(8) for _ in who]) - who * 100
    stop = start + 3 if random.random() < 0.7 else start + [random.randrange(1, 9) for _ in who]
    return Contributions(who, start, np.where(stop > 9, FOREVER, stop))


def leaf(random: Random) -> Truth:
    if random.random() < 0.3:
        return steps(random)
    if random.random() < 0.6:
        return reaches(rows(random), random.randrange(1, 4), random.random() < 0.5)
    some, more = rows(random), random.randrange(1, 3)
    weights = [np.array([random.randrange(-2, 3) for _ in some.who], np.int64) for _ in range(more)]
    return cover(some, weights, lambda sums: np.where(sums[-1] == 0, UNKNOWN, sums[0] > 0).astype(np.int8))


def truth(random: Random, depth: int) -> Truth:
    if depth == 0 or random.random() < 0.2:
        return leaf(random)
    if random.random() < 0.3:
        return remap(truth(random, depth - 1), random.choice(TABLES))
    children = [truth(random, depth - 1) for _ in range(random.randrange(1, 4))]
    return random.choice((every, either))(children)


@settings(deadline=None)
@given(RANDOMS, st.integers(1, 5))
def test_several_truths_together_are_what_each_is_alone(random: Random, number: int) -> None:
    seeds = [random.randrange(10**9) for _ in range(number)]
    together = settle_all([truth(Random(seed), 3) for seed in seeds], COUNT)
    alone = [settled(truth(Random(seed), 3), COUNT) for seed in seeds]
    assert [steps_of(one) for one in together] == [steps_of(one) for one in alone]


def values(one: Steps) -> list[int]:
    who, at = np.divmod(np.arange(COUNT * 12), 12)
    return [int(value) for value in value_at(one, who, at - 1)]


@settings(deadline=None)
@given(RANDOMS, st.sampled_from(TABLES))
def test_gates_above_one_another_are_kleene_at_every_instant(random: Random, table: np.ndarray) -> None:
    """Also where the truth between them is put through a table."""
    a, b, c = (steps(random) for _ in range(3))
    inner = settled(remap(every([a, b]), table), COUNT)
    assert values(inner) == [int(table[lowest(pair)]) for pair in zip(values(a), values(b), strict=True)]
    outer = settled(every([remap(every([a, b]), table), c]), COUNT)
    assert values(outer) == [lowest(pair) for pair in zip(values(inner), values(c), strict=True)]
    highest = settled(either([a, b]), COUNT)
    assert values(highest) == [int(OPPOSITE[lowest(OPPOSITE[list(pair)])]) for pair in zip(values(a), values(b), strict=True)]


def lowest(pair: tuple[int, ...] | np.ndarray) -> int:
    return FALSE if FALSE in pair else UNKNOWN if UNKNOWN in pair else TRUE


def test_a_truth_that_two_others_share_is_settled_once() -> None:
    shared = reaches(Contributions(*np.array([[0], [1], [5]])))
    settle_all([every([shared, steps(Random(1))]), remap(shared, OPPOSITE)], COUNT)
    assert not isinstance(shared, Steps)
    first = shared.settled
    settle_all([either([shared, steps(Random(2))])], COUNT)
    assert shared.settled is first is not None
