"""The order of a subject's events (semantics 2.5)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import codes, ints
from transforms.algebra.coded import plain
from transforms.algebra.order import Ints, firsts, lasts, order


def in_event_order(events: pa.Table, subjects: pa.Array) -> pa.Table:
    """Canonical events by subject, numbered in the order of `subjects`, and for each in its order."""
    who, at = codes(events["subject"], subjects), ints(events["occurred_at"], 0)
    return events.take(pa.array(event_order(who, at, events["event_id"], events["source"])))


def event_order(who: Ints, at: Ints, event_id: pa.ChunkedArray, source: pa.ChunkedArray) -> Ints:
    """The permutation that sorts events by (who, at, event id, source), texts by bytes (2.5)."""
    index = order(who, at)
    keys = who[index], at[index]
    crowded = np.flatnonzero(~(firsts(*keys) & lasts(*keys)))
    if len(crowded):
        rows = index[crowded]
        chosen = pa.array(rows)
        names = pa.table({"event_id": event_id.take(chosen), "source": plain(source.take(chosen))})
        rank = np.empty(len(rows), np.int64)
        rank[pc.sort_indices(names, [("event_id", "ascending"), ("source", "ascending")]).to_numpy()] = np.arange(
            len(rows)
        )
        index[crowded] = rows[np.lexsort((rank, at[rows], who[rows]))]
    return index
