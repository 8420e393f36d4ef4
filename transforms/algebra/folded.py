"""What stands for events that a state has forgotten: of each leaf that sums them up the sums, borne by its last event of then."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.canonical import digest
from schemas.definitions.reference import EventReference
from schemas.definitions.window import Absolute, Lifetime, Window
from transforms.algebra.exact import Number
from transforms.algebra.order import Ints


class Base(NamedTuple):
    """Sums of the weights of one leaf's events up to the cut, by subject; `who` rises."""

    who: Ints
    sums: Sequence[Number]


class Folded(NamedTuple):
    """For each subject up to when events may be missing, from when on answers are told, and by leaf what stands for events."""

    cut_at: Ints
    floor_at: Ints
    bases: Mapping[str, Base]


def is_endless(window: Window) -> bool:
    """Whether what has begun to count never ceases to but for consent."""
    return isinstance(window, Lifetime | Absolute)


@lru_cache(maxsize=10_000)
def leaf_name(purposes: tuple[str, ...], aggregate: Aggregate, reference: EventReference, window: Window) -> str:
    """What a leaf is called in a state: equal where the same events are summed up in the same way for the same purposes."""
    return digest([purposes, aggregate.meaning(), reference, window])[:16]
