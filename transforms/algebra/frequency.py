"""How often each value occurs: the most frequent first, and how frequent the most frequent is over time."""

import numpy as np
import pyarrow as pa

from transforms.algebra.exact import ranks
from transforms.algebra.order import FOREVER, Ints, firsts, lasts, order, running, settle, stable_order
from transforms.algebra.pieces import pieces
from transforms.algebra.reduce import Contributions


def by_frequency(who: Ints, column: pa.Array) -> tuple[Ints, Ints]:
    """A row of each distinct value of each `who` and the value's place, from 0: by count descending, then by value."""
    rank = ranks(column)
    index = stable_order(who, rank)
    begins = np.flatnonzero(firsts(who[index], rank[index])) if len(who) else np.empty(0, np.int64)
    row, count = index[begins], np.diff(np.append(begins, len(who)))
    ordered = np.lexsort((rank[row], -count, who[row]))
    row = row[ordered]
    first = np.searchsorted(who[row], who[row], "left")
    return row, np.arange(len(row)) - first


def frequency_levels(rows: Contributions, value: Ints) -> Contributions:
    """As many rows as the most frequent value of a `who` has: the j-th counts while any value occurs at least j times."""
    ending = rows.stop != FOREVER
    who, at = np.concatenate((rows.who, rows.who[ending])), np.concatenate((rows.start, rows.stop[ending]))
    change = np.where(np.arange(len(who)) < len(rows.who), 1, -1)
    single = who * (int(value.max(initial=0)) + 1) + np.concatenate((value, value[ending]))
    index = stable_order(single, at)
    level = running(single[index], change[index]) + (change[index] < 0)
    return _standing(who[index], level, at[index], change[index])


def _standing(who: Ints, level: Ints, at: Ints, change: Ints) -> Contributions:
    """While the changes of each (who, level) sum up to more than nothing."""
    width = int(level.max(initial=0)) + 1
    keys, key = np.unique(who * width + level, return_inverse=True)
    index = order(key, at)
    key, at = key[index], at[index]
    final = lasts(key, at)
    stands = (running(key, change[index]) > 0).astype(np.int8)
    found = pieces(settle(key[final], at[final], stands[final], np.zeros(len(keys), np.int8)))
    found = found.take(found.value > 0)
    return Contributions(keys[found.who] // width, found.from_at, found.to_at)
