"""The intervals in which a period of the past is computed: calendar months of the project's timezone."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from transforms.algebra.calendars import day_starts, local_days, unit_first
from transforms.algebra.order import Ints


class Period(NamedTuple):
    """A stretch of time, the end exclusive. Instants are int64 microseconds UTC."""

    from_at: int
    to_at: int


def months(period: Period, timezone: str) -> Sequence[Period]:
    """The months that a period touches, each as far as it lies in the period."""
    first, last = local_days(np.array([period.from_at, period.to_at - 1]), timezone)
    begins = unit_first(np.arange(first, last + 1), "month", 0)
    inner = [at for at in day_starts(np.unique(begins), timezone).tolist() if period.from_at < at < period.to_at]
    return [Period(*pair) for pair in pairwise([period.from_at, *inner, period.to_at])]


def day_ends(period: Period, timezone: str) -> Ints:
    """The ends of the days that end in a period, its own end among them where a day ends there."""
    first, last = local_days(np.array([period.from_at, period.to_at]), timezone)
    ends = day_starts(np.arange(first, last + 1), timezone)
    return ends[(period.from_at < ends) & (ends <= period.to_at)]
