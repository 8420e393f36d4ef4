"""Tables sorted by `who`: the rows of some subjects are read and replaced without a look at those of the others."""

from typing import Literal

import numpy as np
import pyarrow as pa

from transforms.algebra.claims import WHO
from transforms.algebra.order import Ints, firsts, in_turn, spread

_ROWS_A_RUN = 300
"""A run of neighbours, taken for itself, costs as much as a look at so many rows."""


def rows_of(rows: pa.Table, who: Ints) -> tuple[Ints, Ints]:
    """The places of the rows of subjects (rising numbers), and for each row the index of its subject among them."""
    local, index = spread(_edges(rows, who, "left"), _edges(rows, who, "right"))
    return index, local


def replaced(before: pa.Table, who: Ints, rows: pa.Table) -> pa.Table:
    """The table with these rows instead of all former ones of the subjects `who` (rising numbers)."""
    if not len(before):
        return rows
    begins = np.flatnonzero(firsts(who - np.arange(len(who))))
    if len(before) // max(len(begins), 1) < _ROWS_A_RUN:
        return _merged(before, who, rows)
    first, last = who[begins], who[np.append(begins[1:], len(who)) - 1] if len(who) else who
    cuts = [(_edges(table, first, "left").tolist(), _edges(table, last, "right").tolist()) for table in (before, rows)]
    pieces, end = [], 0
    for low, high, new_low, new_high in zip(*cuts[0], *cuts[1], strict=True):
        pieces += [before.slice(end, low - end), rows.slice(new_low, new_high - new_low)]
        end = high
    return pa.concat_tables([*pieces, before.slice(end)]).combine_chunks()


def _merged(before: pa.Table, who: Ints, rows: pa.Table) -> pa.Table:
    """The same by a look at all rows."""
    edges = np.zeros(len(before) + 1, np.int64)
    np.add.at(edges, _edges(before, who, "left"), 1)
    np.add.at(edges, _edges(before, who, "right"), -1)
    both = pa.concat_tables([before.filter(pa.array(np.cumsum(edges[:-1]) == 0)), rows]).combine_chunks()
    return both.take(pa.array(in_turn(both[WHO].to_numpy())))


def _edges(rows: pa.Table, who: Ints, side: Literal["left", "right"]) -> Ints:
    """Where the rows of each subject begin or end; numbers of another width would have all rows copied."""
    owner = rows[WHO].to_numpy()
    return np.searchsorted(owner, who.astype(owner.dtype), side)
