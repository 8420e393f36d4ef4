"""What of a view is in use at one T: the stint of each subject, and what lies in a window then."""

import numpy as np

from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.reduce import Contributions
from transforms.algebra.view import View


def open_at(view: View, count: int, at: int) -> Ints:
    """The stint of each subject that is in use at `at`, or -1."""
    stints = view.timeline.stints
    using = np.flatnonzero((stints.use_from <= at) & (at < stints.use_to))
    stint = np.full(count, -1, np.int64)
    stint[stints.subject[using]] = using
    return stint


def next_opening(view: View, count: int, at: int) -> Ints:
    """The next instant at which the use of each subject's data begins or ends."""
    stints = view.timeline.stints
    following = np.full(count, FOREVER)
    for edge in (stints.use_from, stints.use_to):
        later = edge > at
        np.minimum.at(following, stints.subject[later], edge[later])
    return following


def any_at(view: View, rows: Contributions, stint: Ints, at: int) -> tuple[Flags, Ints]:
    """Whether any of the rows counts at `at` in each subject's stint in use, and an instant before which that does not change."""
    in_use = np.zeros(view.size, np.bool_)
    in_use[stint[stint >= 0]] = True
    alive = np.flatnonzero((rows.stop > at) & in_use[rows.who])
    subject, begun = view.timeline.stints.subject[rows.who[alive]], rows.start[alive] <= at
    holds, begins, ends = np.zeros(len(stint), np.bool_), np.full(len(stint), FOREVER), np.full(len(stint), at)
    holds[subject[begun]] = True
    np.maximum.at(ends, subject[begun], rows.stop[alive[begun]])
    np.minimum.at(begins, subject[~begun], rows.start[alive[~begun]])
    return holds, np.where(holds, ends, begins)
