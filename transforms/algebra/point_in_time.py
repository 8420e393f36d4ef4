"""Feature values at many instants of each subject: what a row to learn from may know, and nothing later."""

from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import numpy as np
import pyarrow as pa

from schemas.definitions.feature import FeatureColumn
from transforms.algebra.measure import Measure, Values
from transforms.algebra.order import Flags, Ints, search, spread
from transforms.algebra.pieces import Stints
from transforms.algebra.reduce import Contributions, is_fifo
from transforms.algebra.study import Study
from transforms.algebra.view import View

_MOST = 1 << 21
"""So many contributions are looked at at once; one instant has all of its own."""


def features_at(study: Study, who: Ints, at: Ints) -> pa.Table:
    """The features of the subject `who` of a study at T = `at`: a row for each pair, in their order.

    Null before the subject's first fact, where nobody knew it, and where the purposes of a group are not open (4.5).
    """
    columns = {}
    known = study.facts.first_fact_at[who] <= at
    for group in study.facts.grounds.project.features.values():
        view = study.evaluation.views[group.purposes]
        stint = np.where(known, stints_at(view.timeline.stints, who, at), -1)
        for column in group.columns:
            columns[column.name] = _values(view, column, stint, at)
    return pa.table(columns)


def stints_at(stints: Stints, who: Ints, at: Ints) -> Ints:
    """The stint that is in use for each (who, at), -1 where there is none."""
    place = search(stints.subject, stints.use_from, who, at, "right") - 1
    begun = np.flatnonzero(place >= 0)
    stint = place[begun]
    is_open = (stints.subject[stint] == who[begun]) & (at[begun] < stints.use_to[stint])
    place[begun[~is_open]] = -1
    return place


def _values(view: View, column: FeatureColumn, stint: Ints, at: Ints) -> pa.ChunkedArray:
    """The column for each pair of a stint and an instant."""
    selected, values = view.select(column.source, column.window, column.aggregate.of)
    low, high = _bounds(selected.rows, stint, at)
    exact = is_fifo(selected.rows, selected.rows.who).all()
    parts = []
    for some in _portions(high - low):
        owner, index = spread(low[some], high[some])
        if not exact:
            counts = _counts(selected.rows, index, at[some][owner])
            owner, index = owner[counts], index[counts]
        parts.append(_column(column, owner, values.take(index), stint[some] >= 0))
    return pa.chunked_array(parts, column.type.arrow)


def _bounds(rows: Contributions, stint: Ints, at: Ints) -> tuple[Ints, Ints]:
    """Between which rows lie those that count for each pair: where windows are FIFO just they, else others among them."""
    low = search(rows.who, _highest_before(rows.who, rows.stop), stint, at, "right")
    to_come = ~_highest_before(-rows.who[::-1], ~rows.start[::-1])[::-1]
    return low, search(rows.who, to_come, stint, at, "right")


def _highest_before(who: Ints, value: Ints) -> Ints:
    """The running maximum of each `who`; rows are sorted by `who`."""
    if not ((value[1:] < value[:-1]) & (who[1:] == who[:-1])).any():
        return value
    distinct, rank = np.unique(value, return_inverse=True)
    base = (who - who[0]) * len(distinct)
    return distinct[np.maximum.accumulate(base + rank) - base]


def _counts(rows: Contributions, index: Ints, at: Ints) -> Flags:
    return (rows.start[index] <= at) & (at < rows.stop[index])


def _portions(sizes: Ints) -> Iterator[slice]:
    """Runs of pairs whose sizes sum up to about as many as may be."""
    total = np.cumsum(sizes)
    cuts = np.searchsorted(total, np.arange(_MOST, int(total[-1]) if len(total) else 0, _MOST)) + 1
    edges = np.unique(np.concatenate(([0], cuts, [len(sizes)])))
    return (slice(begin, end) for begin, end in pairwise(edges))


def _column(column: FeatureColumn, owner: Ints, values: Values, is_open: Flags) -> pa.Array:
    """The aggregate of the values of each owner, null where it may not be told."""
    measure = cast(Measure, column.aggregate)
    found = measure.value(owner, values, len(is_open), column.type).cast(column.type.arrow)
    return found.take(pa.array(np.arange(len(found)), mask=~is_open)) if not is_open.all() else found
