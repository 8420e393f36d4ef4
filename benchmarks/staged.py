"""What workers would have left of a made-up run that changes so many rows of each table, whatever the tables hold."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from runners.publishing.staging import new_staging, staged_schemas
from runners.runs.run_plan import RunPlan, SegmentVersion
from runners.warehouses.lake import Lake
from runners.warehouses.published import last_run
from transforms.stage import Stage, fates_row

TABLES = ("events", "transitions", "changes", "upcoming", "feature_rows")
"""Those that have a row for each subject that a run tells of."""
_DAY = 86_400_000_000
_START_AT = 20_000 * _DAY
_SHARDS = 4
_STRIDE = 7_919
"""A prime: the subjects of a run lie all over the tables."""

# `n` is a subject's number, `t` the day of T; `late`: it entered a day later than the first run has published.
_TOLD = f"""
CREATE OR REPLACE TEMP TABLE told AS
SELECT n, 'u' || lpad(CAST(n AS VARCHAR), 9, '0') AS subject, 'vip' AS segment, 1 AS version, n % 10 = 0 AS late, $day AS t
FROM (SELECT i * {_STRIDE} % $rows AS n FROM range($first, $first + $count) AS numbers(i))
"""
_INSTANT = f"MACRO day(day, n) AS make_timestamptz(CAST({_START_AT} + day * {_DAY} + n * 43000 % {_DAY} AS BIGINT))"
_ALWAYS = {
    "events": """SELECT 'shop' AS source, subject, concat(n, '-', t) AS event_id, 'order_completed' AS event,
      day(t - 1, n) AS occurred_at, day(t - 1, n) AS received_at, unhex(sha256(concat(n, '-', t))) AS record_hash,
      CAST(n % 10000 / 100 AS DECIMAL(12, 2)) AS amount, false AS replaces FROM told""",
    "upcoming": "SELECT segment, version, subject, day(t + 30, n) AS next_transition_at FROM told",
    "feature_rows": """SELECT subject, n % 97 + t AS orders_30d, CAST(n % 7919 + t AS DECIMAL(38, 2)) AS spend_7d,
      false AS unsure FROM told""",
}
_FIRST = {
    "transitions": """SELECT segment, version, subject, day(1, n) AS "at", true AS member, 'push' AS purpose FROM told""",
    "changes": """SELECT segment, version, subject, 'entered' AS kind, day(1, n) AS effective_at,
      CAST(NULL AS TIMESTAMPTZ) AS until_at, true AS member, 'event' AS reason FROM told""",
}
_LATER = {
    "closings": 'SELECT segment, version, subject, day(1, n) AS "at" FROM told WHERE late',
    "transitions": """SELECT segment, version, subject, if(late, day(2, n), day(t - 1, n)) AS "at", late AS member,
      'push' AS purpose FROM told""",
    "changes": """SELECT segment, version, subject, if(late, 'corrected', 'exited') AS kind,
      if(late, day(1, n), day(t - 1, n)) AS effective_at, if(late, day(2, n), NULL) AS until_at, false AS member,
      if(late, 'late', 'event') AS reason FROM told""",
}


@dataclass(frozen=True)
class Told:
    """Which subjects a run tells of: `count` of `rows`, from the `first` in an order of its own; T is so many days on."""

    day: int
    first: int
    count: int
    rows: int


def staged(lake: Lake, told: Told) -> RunPlan:
    """Stage a run on top of what is published: the first one fills the tables."""
    last = last_run(lake)
    at = _START_AT + told.day * _DAY
    plan = RunPlan(
        staging=new_staging(lake),
        t_at=at,
        known_at=at,
        definitions="made-up",
        positions_before=dict(last.positions) if last else {},
        positions_after={"shop": {"orders.ndjson": told.day}},
        written_at=at,
        shards=_SHARDS,
        started_at=at,
        parent=last.run_id if last else "",
        versions={"vip": SegmentVersion(1, "made-up")},
        fact_columns={"events": {"amount": pa.decimal128(12, 2)}},
        feature_columns={"orders_30d": pa.int64(), "spend_7d": pa.decimal128(38, 2)},
    )
    _write(Stage(plan.staging, staged_schemas(plan)), told, _LATER if last else _FIRST)
    return plan


def _write(stage: Stage, told: Told, selects: Mapping[str, str]) -> None:
    con = duckdb.connect()
    con.execute(f"SET TimeZone = 'UTC'; CREATE {_INSTANT}")
    values = {"$day": told.day, "$rows": told.rows, "$first": told.first, "$count": told.count}
    con.execute(_filled(_TOLD, values))
    for table, select in {**_ALWAYS, **selects}.items():
        for shard in range(_SHARDS):
            ours = f"WITH told AS (FROM temp.told WHERE n % {_SHARDS} = {shard}) {select}"
            stage.write(table, f"{shard:04d}", con.sql(ours).to_arrow_table())
    fates = fates_row(pa.table({"read": [told.count], "used": [told.count]}))
    stage.write("fates", "0000", fates)


def _filled(statement: str, values: Mapping[str, int]) -> str:
    for name, value in values.items():
        statement = statement.replace(name, str(value))
    return statement
