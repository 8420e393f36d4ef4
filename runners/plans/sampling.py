"""Samples of subjects by a hash, and what they say of all, with its error."""

from math import ceil, floor, hypot, sqrt
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from transforms.algebra.order import Flags
from transforms.subject_hash import mixed, subject_hash

_Z = 1.959963984540054
"""Within so many standard errors lie 95 % of a normal distribution."""


class Estimate(NamedTuple):
    """A number of subjects, and the bounds between which it lies in 95 of 100 samples."""

    number: int
    low: int
    high: int


def sampled(subjects: pa.Array, part: float, seed: int) -> Flags:
    """Which subjects are in a sample of this part of all: the same for one seed, on every machine."""
    salt = mixed(np.array([seed], np.uint64))
    return np.asarray((mixed(subject_hash(subjects) ^ salt) >> np.uint64(11)) < part * (1 << 53), np.bool_)


def estimated(hits: int, looked_at: int, everyone: int) -> Estimate:
    """How many of all it may be where there are so many hits among those looked at.

    Wilson's interval, which holds for small parts too, narrowed as the sample comes near to all (by the finite population).
    """
    if looked_at == everyone:
        return Estimate(hits, hits, hits)
    if not looked_at:
        return Estimate(0, 0, everyone)
    part, weight = hits / looked_at, _Z**2 * (everyone - looked_at) / ((everyone - 1) * looked_at)
    middle = (part + weight / 2) / (1 + weight)
    reach = sqrt(weight * part * (1 - part) + weight**2 / 4) / (1 + weight)
    low, high = floor(everyone * (middle - reach)), ceil(everyone * (middle + reach))
    return Estimate(round(everyone * part), max(hits, low), min(everyone - (looked_at - hits), high))


def changed(before: int, more: Estimate, less: Estimate) -> Estimate:
    """A number that is known, changed by two estimates that do not depend on one another: their errors add as squares do."""
    number = before + more.number - less.number
    low = number - hypot(more.number - more.low, less.high - less.number)
    high = number + hypot(more.high - more.number, less.number - less.low)
    return Estimate(number, max(0, floor(low)), ceil(high))
