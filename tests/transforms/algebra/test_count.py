"""A count is compared without being added up where one number of events decides."""

import operator

import numpy as np
import pytest

from schemas.definitions.comparison import Comparison
from tests.transforms.algebra.test_reduce import rows
from transforms.algebra.aggregates.count import Count
from transforms.algebra.measure import Values
from transforms.algebra.order import value_at
from transforms.algebra.pending import settled
from transforms.algebra.windows import OwnZones

COMPARED = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@pytest.mark.parametrize("constant", range(-1, 5))
@pytest.mark.parametrize("op", COMPARED)
def test_whatever_a_count_is_compared_with_it_is_the_number_of_events_that_count(op: str, constant: int) -> None:
    some, at = rows(3), np.arange(-1, 14)
    values = Values(None, some.start, "UTC", OwnZones)
    steps = settled(Count(name="n").steps(some, values, Comparison.parse(f"{op} {constant}")), 1)
    numbers = ((some.start <= at[:, None]) & (at[:, None] < some.stop)).sum(axis=1)
    assert value_at(steps, at * 0, at).tolist() == COMPARED[op](numbers, constant).tolist()
