"""Half-open pieces of time, many to a subject: a step function cut into them, and where two lists of them meet."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, Steps, lasts, search, spread


class Stints(NamedTuple):
    """For T in [use_from, use_to) the events with event_from <= t < event_to count, and no others.

    One entry a stint, sorted by (subject, use_from); the use ranges of a subject are disjoint.
    """

    subject: Ints
    event_from: Ints
    event_to: Ints
    use_from: Ints
    use_to: Ints


class Sources(NamedTuple):
    """What feeds stints: the events of `who` with event_from <= t < event_to; one entry a source, sorted by stint."""

    stint: Ints
    who: Ints
    event_from: Ints
    event_to: Ints


class Pieces(NamedTuple):
    """`value` holds for `who` in [from_at, to_at): sorted by (who, from_at), the pieces of a `who` disjoint."""

    who: Ints
    from_at: Ints
    to_at: Ints
    value: npt.NDArray[np.integer]

    def take(self, index: Ints | Flags) -> "Pieces":
        """The pieces at `index`, which keeps their order."""
        return Pieces._make(column[index] for column in self)


def pieces(steps: Steps) -> Pieces:
    """The functions as pieces that cover all time."""
    count = len(steps.initial)
    who = np.concatenate((np.arange(count), steps.who))
    index = np.argsort(who, kind="stable")
    from_at = np.concatenate((np.full(count, BEGINNING), steps.at))[index]
    value = np.concatenate((steps.initial, steps.value))[index]
    return Pieces(who[index], from_at, next_within(who[index], from_at), value)


def next_within(who: Ints, at: Ints) -> Ints:
    """The next `at` of the same `who`, FOREVER after its last; rows are sorted by `who`."""
    following = np.full(len(at), FOREVER)
    following[:-1] = np.where(lasts(who)[:-1], FOREVER, at[1:])
    return following


def meetings(who: Ints, from_at: Ints, to_at: Ints, others: Pieces) -> tuple[Ints, Ints]:
    """The pairs (index, index among others) of pieces of one `who` that share an instant, in the order of both."""
    low = search(others.who, others.to_at, who, from_at, "right")
    high = search(others.who, others.from_at, who, to_at, "left")
    return spread(low, high)
