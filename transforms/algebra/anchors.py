"""Windows that other events open or close: sessions, and what lies since the last anchor (semantics 2)."""

import numpy as np

from transforms.algebra.order import FOREVER, Ints, lasts, search
from transforms.algebra.windows import later


def session_ends(who: Ints, at: Ints, gap: int) -> Ints:
    """The end of each event's session: `gap` after its last event. Rows are all events, sorted by (who, at).

    A session is a run of events of one `who` with silences of at most `gap`.
    """
    ends = lasts(who)
    ends[:-1] |= at[1:] > later(at[:-1], gap)
    last = np.flatnonzero(ends)
    return later(at[last], gap)[np.searchsorted(last, np.arange(len(at)))]


def anchored(anchor_who: Ints, anchor_at: Ints, who: Ints, at: Ints, lookback: int | None) -> Ints:
    """Until when each event counts: until the next anchor after it; no time at all without one at or before it.

    Anchors are sorted by (who, at). The anchor in force must count, too: for no longer than `lookback`.
    """
    index = search(anchor_who, anchor_at, who, at, "right")
    following = np.append(anchor_at, FOREVER)[index]
    following[np.append(anchor_who, -1)[index] != who] = FOREVER
    latest = np.append(anchor_at, FOREVER)[index - 1]
    is_anchored = (index > 0) & (np.append(anchor_who, -1)[index - 1] == who)
    if lookback is not None:
        following = np.minimum(following, later(latest, lookback))
    return np.where(is_anchored, following, at)
