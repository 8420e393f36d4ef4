"""Feature rows of the past: those that are there, and how others come between them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from runners.warehouses.lake import Lake, instant, listed, named, quoted


def rows_there(lake: Lake, subjects: pa.Array, from_at: int, to_at: int) -> pa.Table:
    """The rows of some subjects after one instant and up to another: `subject` and `as_of`."""
    between = f"as_of > {instant(from_at)} AND as_of <= {instant(to_at)}"
    return _asked(lake, subjects, f"SELECT subject, as_of FROM feature_rows SEMI JOIN asked USING (subject) WHERE {between}")


def last_rows(lake: Lake, subjects: pa.Array, columns: Sequence[str], but: Iterable[str]) -> pa.Table:
    """The last row of each of some subjects where it tells anything in some columns: `subject` and `as_of`.

    The state of a shard knows what it says, and the next run writes a row only if that is so no more. Not those of the
    backfills `but`, which write behind what a run has told only where it has told nothing in these columns.
    """
    by_others = f"run_id NOT IN ({', '.join(map(quoted, sorted(but)))})"
    tells = f"{by_others} AND ({' OR '.join(f'{named(name)} IS NOT NULL' for name in columns)})"
    last = "QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1"
    rows = f"SELECT subject, as_of, {tells} AS tells FROM feature_rows SEMI JOIN asked USING (subject) {last}"
    return _asked(lake, subjects, f"SELECT subject, as_of FROM ({rows}) WHERE tells")


def _asked(lake: Lake, subjects: pa.Array, sql: str) -> pa.Table:
    lake.con.register("asked", pa.table({"subject": subjects}))
    try:
        return lake.arrow(sql)
    finally:
        lake.con.unregister("asked")


# What is first of a subject in its interval may be as the row before it. Columns of others are as that row has them.
_NEW = """
CREATE OR REPLACE TEMP TABLE past_rows AS
SELECT s.* EXCLUDE is_first, $others $run_id AS run_id, true AS is_there
FROM backfilled_rows s JOIN feature_rows f ON s.subject = f.subject AND s.as_of = f.as_of WHERE $differ
UNION ALL
SELECT s.* EXCLUDE is_first, $others $run_id AS run_id, false AS is_there
FROM (FROM backfilled_rows ANTI JOIN feature_rows USING (subject, as_of)) s
ASOF LEFT JOIN feature_rows f ON s.subject = f.subject AND s.as_of > f.as_of
WHERE NOT s.is_first OR $differ
"""


def put_rows(lake: Lake, backfill_id: str, files: Sequence[Path]) -> None:
    """Rows that are there get the new values in their columns; the others come between them."""
    if not files:
        return
    lake.run(f"CREATE OR REPLACE TEMP TABLE backfilled_rows AS FROM read_parquet({listed(files)}, hive_partitioning = false)")
    columns = [name for name in pq.read_schema(files[0]).names if name not in ("subject", "as_of", "is_first")]
    others = [name for name in lake.columns("feature_rows") if name not in ("subject", "as_of", "run_id", *columns)]
    values = {
        "$others": " ".join(f"f.{named(name)}," for name in others),
        "$run_id": quoted(backfill_id),
        "$differ": "(" + " OR ".join(f"s.{named(name)} IS DISTINCT FROM f.{named(name)}" for name in columns) + ")",
    }
    statement = _NEW
    for name, value in values.items():
        statement = statement.replace(name, value)
    lake.run(statement)
    lake.delete("feature_rows", ("subject", "as_of"), "SELECT subject, as_of FROM past_rows WHERE is_there")
    lake.insert("feature_rows", "SELECT * EXCLUDE is_there FROM past_rows")
