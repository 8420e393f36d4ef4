"""One of many: contributions cut so that of each value only the latest event that counts does, or the earliest."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from transforms.algebra.order import Ints, firsts, lasts, latest_over, order, search, stable_order
from transforms.algebra.pieces import next_within
from transforms.algebra.reduce import Contributions, is_fifo


class Standing(NamedTuple):
    """Contributions and, unless they are the rows that were given, one by one, which of those each is of."""

    rows: Contributions
    of: Ints | None = None


def handover(rows: Contributions, value: Ints) -> Standing:
    """Let a row stop where the next of its `value` starts, in event order. Rows that are empty then stay."""
    index = stable_order(rows.who, value)
    group = np.cumsum(firsts(rows.who[index], value[index]), dtype=np.int64)
    return _cut(rows, index, group, _until_the_next, latest=True)


def takeover(rows: Contributions) -> Standing:
    """Let a row start where the one before it stops. Rows that are empty then stay."""
    return _cut(rows, np.arange(len(rows.who)), rows.who, _from_the_last, latest=False)


def _until_the_next(rows: Contributions, group: Ints) -> Contributions:
    stop, same = rows.stop.copy(), ~lasts(group)[:-1]
    stop[:-1][same] = np.minimum(rows.stop[:-1], rows.start[1:])[same]
    return Contributions(rows.who, rows.start, stop)


def _from_the_last(rows: Contributions, group: Ints) -> Contributions:
    start, same = rows.start.copy(), ~firsts(group)[1:]
    start[1:][same] = np.maximum(rows.start[1:], rows.stop[:-1])[same]
    return Contributions(rows.who, start, rows.stop)


def _cut(
    rows: Contributions, index: Ints, group: Ints, cut: Callable[[Contributions, Ints], Contributions], latest: bool
) -> Standing:
    """Cut the rows, in the order of `index` sorted by group and in event order within each, to the latest or the earliest.

    Where windows are FIFO their neighbours tell. Those of subjects that move between zones may not be: piece by piece then.
    """
    ordered = rows.take(index)
    fifo = is_fifo(ordered, group)
    if fifo.all():
        back = np.empty_like(index)
        back[index] = np.arange(len(index))
        return Standing(cut(ordered, group).take(back))
    crooked = np.isin(group, group[1:][~fifo])
    straight = cut(ordered.take(~crooked), group[~crooked])
    pieces, of = _piece_by_piece(ordered.take(crooked), group[crooked], latest)
    both = Contributions(*(np.concatenate(columns) for columns in zip(straight, pieces, strict=True)))
    return Standing(both, np.concatenate((index[~crooked], index[crooked][of])))


def _piece_by_piece(rows: Contributions, group: Ints, latest: bool) -> tuple[Contributions, Ints]:
    """For each piece of time in which a row of a group counts the latest of them, or the earliest, and which it is."""
    who, at = np.tile(group, 2), np.concatenate((rows.start, rows.stop))
    sort = order(who, at)
    begins = firsts(who[sort], at[sort])
    who, at = who[sort][begins], at[sort][begins]
    turn = slice(None) if latest else slice(None, None, -1)
    low, high = (search(who, at, group, edge)[turn] for edge in (rows.start, rows.stop))
    winner = latest_over(low, high, len(who))
    held = np.flatnonzero(winner >= 0)
    of = winner[held] if latest else len(group) - 1 - winner[held]
    return Contributions(rows.who[of], at[held], next_within(who, at)[held]), of
