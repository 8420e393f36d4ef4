"""Feature rows of past days: at the end of each day, and wherever there is a row already."""

from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
import pyarrow as pa

from runners.warehouses.lake import named
from transforms.algebra.claims import codes, ints
from transforms.algebra.engine import connect
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, stable_order
from transforms.algebra.point_in_time import features_at
from transforms.algebra.study import Study

_INSTANT = pa.timestamp("us", tz="UTC")
_MOST = 1 << 20
"""So many pairs of a subject and an instant are looked at at once."""

# Only the warehouse knows what stands before the first row of a subject.
_DIFFERING = """
SELECT subject, as_of, place = 1 AS is_first, $values
FROM (
  SELECT *, row_number() OVER sofar AS place, lag(ROW($values)) OVER sofar AS before
  FROM rows WINDOW sofar AS (PARTITION BY subject ORDER BY as_of)
)
WHERE place = 1 OR is_there OR ROW($values) IS DISTINCT FROM before
"""


def day_rows(
    study: Study, ids: pa.Array, columns: Sequence[str], instants: Ints, there: pa.Table, last: pa.Table
) -> pa.Table:
    """The rows of the subjects of a study that differ from those before, and those that take the place of others.

    They have `subject`, `as_of`, `is_first` and the columns. `there` are rows that the warehouse has, `last` those from which
    on a subject's rows stay as they are: both `subject` and `as_of`.
    """
    con, sql = connect(), _DIFFERING.replace("$values", ", ".join(map(named, columns)))
    ends_at = np.full(len(ids), FOREVER)
    ends_at[codes(last["subject"], ids)] = ints(last["as_of"], BEGINNING)
    who, at = codes(there["subject"], ids), ints(there["as_of"], BEGINNING)
    parts = (_told(study, ids, columns, *pairs) for pairs in _pairs(ends_at, instants, who, at))
    try:
        return pa.concat_tables([_differing(con, rows, sql) for rows in parts])
    finally:
        con.close()


def _told(study: Study, ids: pa.Array, columns: Sequence[str], who: Ints, at: Ints, is_there: Flags) -> pa.Table:
    said = {"subject": ids.take(pa.array(who)), "as_of": pa.array(at).cast(_INSTANT), "is_there": is_there}
    values = features_at(study, who, at)
    return pa.table({**said, **{name: values[name] for name in columns}})


def _differing(con: duckdb.DuckDBPyConnection, rows: pa.Table, sql: str) -> pa.Table:
    con.register("rows", rows)
    try:
        return con.execute(sql).to_arrow_table()
    finally:
        con.unregister("rows")


def _pairs(ends_at: Ints, instants: Ints, who: Ints, at: Ints) -> Iterator[tuple[Ints, Ints, Flags]]:
    """Each subject at each instant before its end, and where it has a row: in order, each once, some subjects at a time."""
    step = max(1, _MOST // max(1, len(instants)))
    for begin in range(0, len(ends_at), step):
        some = np.arange(begin, min(begin + step, len(ends_at)))
        mine = np.flatnonzero((begin <= who) & (who < begin + step))
        whose = np.concatenate([who[mine], np.repeat(some, len(instants))])
        when = np.concatenate([at[mine], np.tile(instants, len(some))])
        turn = stable_order(whose, when)
        is_new = np.append(True, (np.diff(whose[turn]) != 0) | (np.diff(when[turn]) != 0))[: len(turn)]
        kept = turn[is_new & (when[turn] < ends_at[whose[turn]])]
        yield whose[kept], when[kept], kept < len(mine)
