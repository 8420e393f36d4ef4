"""The order of a subject's events (semantics 2.5)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import codes, ints
from transforms.algebra.coded import plain
from transforms.algebra.order import Ints, firsts, lasts, order

NAMES = ("event_id", "source")
"""What orders a subject's events of one instant. Those of ids that are one and alike in both go by the id."""


def in_event_order(events: pa.Table, subjects: pa.Array) -> pa.Table:
    """Canonical events by subject, numbered in the order of `subjects`, and for each in its order."""
    who, at = codes(events["subject"], subjects), ints(events["occurred_at"], 0)
    return events.take(pa.array(event_order(who, at, events.select(NAMES))))


def event_order(who: Ints, at: Ints, names: pa.Table) -> Ints:
    """The permutation that sorts events by (who, at, names), the columns of these one after the other, by bytes (2.5)."""
    index = order(who, at)
    keys = who[index], at[index]
    crowded = np.flatnonzero(~(firsts(*keys) & lasts(*keys)))
    if len(crowded):
        rows = index[crowded]
        told = names.take(pa.array(rows))
        told = pa.table({name: plain(told[name]) for name in told.column_names})
        rank = np.empty(len(rows), np.int64)
        in_turn = pc.sort_indices(told, [(name, "ascending") for name in told.column_names])
        rank[in_turn.to_numpy()] = np.arange(len(rows))
        index[crowded] = rows[np.lexsort((rank, at[rows], who[rows]))]
    return index
