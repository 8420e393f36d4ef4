"""The project beside this file as the best DuckDB SQL that we can write by hand: what Segue's speed is held against.

    python -m benchmarks.by_sql [FOLDER] [OUT] [--at 2026-01-01T00:00:00Z]

reads the same files and writes the same event table (one row an event, with its hash), who is a member of which segment
at one T, and the feature rows of that T. It knows no history, no corrections, no increments and no reasons.
"""

import argparse
import time
from pathlib import Path

import duckdb

from benchmarks.world import HERE

EVENTS = """
    CREATE TABLE events AS
    SELECT 'events' AS source, "user" AS subject, id AS event_id, name AS event, "at" AS occurred_at, received_at,
           unhex(sha256(to_json({
               amount: amount::VARCHAR, category: category, device: device, event: name, event_id: id,
               occurred_at: epoch_us("at"), subject: "user"
           })::VARCHAR)) AS record_hash,
           amount, category, device
    FROM read_json($events, format = 'newline_delimited', columns = {
        id: 'VARCHAR', name: 'VARCHAR', "user": 'VARCHAR', "at": 'TIMESTAMPTZ', received_at: 'TIMESTAMPTZ',
        amount: 'DECIMAL(12,2)', category: 'VARCHAR', device: 'VARCHAR'
    })
"""
REPEATED = """
    CREATE TABLE repeated AS SELECT subject, event_id FROM events GROUP BY ALL HAVING count(*) > 1
"""
ONCE = """
    CREATE VIEW events_once AS
    SELECT * FROM events ANTI JOIN repeated USING (subject, event_id)
    UNION ALL
    SELECT * FROM events SEMI JOIN repeated USING (subject, event_id)
    QUALIFY row_number() OVER (PARTITION BY subject, event_id ORDER BY received_at, record_hash) = 1
"""
WRITE_EVENTS = "COPY (FROM events_once) TO '{}' (FORMAT parquet, COMPRESSION zstd)"

CONSENTS = """
    CREATE TABLE consents AS
    FROM read_json($consents, format = 'newline_delimited', columns = {
        subject: 'VARCHAR', purpose: 'VARCHAR', action: 'VARCHAR', claimed_at: 'TIMESTAMPTZ', received_at: 'TIMESTAMPTZ'
    })
"""
# A grant acts when it was claimed, at most 15 minutes before its receipt; a withdrawal when it was claimed and, where
# it came more than 5 minutes late, when it was received as well. The last act decides, at one instant the withdrawal.
OPEN = """
    CREATE TABLE open_from AS
    WITH acts AS (
        SELECT subject, purpose, action,
               CASE action WHEN 'GRANT' THEN greatest(least(claimed_at, received_at), received_at - INTERVAL 15 MINUTE)
                    ELSE least(claimed_at, received_at) END AS acts_at,
               CASE WHEN action = 'WITHDRAW' AND received_at - claimed_at > INTERVAL 5 MINUTE
                    THEN received_at END AS again_at
        FROM consents
    ),
    closed AS (
        SELECT subject, purpose,
               greatest(max(acts_at) FILTER (acts_at <= $at), max(again_at) FILTER (again_at <= $at)) AS closed_at
        FROM acts WHERE action = 'WITHDRAW' GROUP BY ALL
    ),
    epochs AS (
        SELECT subject, purpose, min(acts_at) AS begins_at
        FROM acts LEFT JOIN closed USING (subject, purpose)
        WHERE action = 'GRANT' AND acts_at <= $at AND (closed_at IS NULL OR acts_at > closed_at)
        GROUP BY ALL
    )
    SELECT subject, min(begins_at) FILTER (purpose = 'analytics') AS analytics_from,
           min(begins_at) FILTER (purpose = 'marketing') AS marketing_from,
           CASE WHEN count(*) = 2 THEN max(begins_at) END AS both_from
    FROM epochs GROUP BY subject
"""
PROFILES = """
    CREATE TABLE profiles AS
    SELECT "user" AS subject, "at" AS valid_from, received_at, country, plan
    FROM read_json($profiles, format = 'newline_delimited', columns = {
        "user": 'VARCHAR', "at": 'TIMESTAMPTZ', received_at: 'TIMESTAMPTZ', country: 'VARCHAR', plan: 'VARCHAR'
    })
"""
LATEST = """
    CREATE TABLE profiles_now AS
    SELECT subject, country, plan FROM profiles WHERE valid_from <= $at
    QUALIFY row_number() OVER (PARTITION BY subject ORDER BY valid_from DESC, received_at DESC) = 1
"""
# One pass over the events for all leaves and all columns: `a`, `m` and `b` say for which purposes an event counts.
LEAVES = """
    CREATE TABLE leaves AS
    WITH counted AS (
        SELECT e.*, occurred_at >= analytics_from AS a, occurred_at >= marketing_from AS m,
               occurred_at >= both_from AS b, event = 'order_completed' AS ordered,
               event IN ('page_view', 'product_view') AS viewed,
               occurred_at > $at - INTERVAL 720 HOUR AS in_30d, occurred_at > $at - INTERVAL 2160 HOUR AS in_90d
        FROM events_once e JOIN open_from USING (subject)
        WHERE occurred_at <= $at
    )
    SELECT subject,
           count(*) FILTER (m AND in_90d) AS any_90d,
           count(*) FILTER (m AND ordered AND in_30d) AS orders_30d,
           count(*) FILTER (m AND ordered AND in_90d AND NOT in_30d) AS orders_before,
           count(*) FILTER (m AND in_30d AND event = 'page_view') AS pages_30d,
           min(occurred_at) FILTER (a AND event = 'page_view') AS first_page_at,
           count(*) FILTER (a AND in_30d AND device != 'web') AS off_web_30d,
           count(DISTINCT category)
               FILTER (a AND ordered AND occurred_at > $at - INTERVAL 4320 HOUR) AS categories_180d,
           sum(amount) FILTER (b AND ordered AND in_90d) AS spend_90d,
           count(*) FILTER (b AND ordered AND occurred_at > $at - INTERVAL 8760 HOUR) AS orders_365d,
           count(*) FILTER (a AND ordered AND in_30d) AS orders__count_30d,
           count(*) FILTER (a AND ordered AND occurred_at > $at - INTERVAL 8760 HOUR) AS orders__count_365d,
           sum(amount) FILTER (a AND ordered AND in_90d) AS orders__spend_90d,
           sum(amount) FILTER (a AND ordered AND occurred_at > $at - INTERVAL 8760 HOUR) AS total_365d,
           count(amount) FILTER (a AND ordered AND occurred_at > $at - INTERVAL 8760 HOUR) AS amounts_365d,
           max(amount) FILTER (a AND ordered AND occurred_at > $at - INTERVAL 8760 HOUR) AS orders__dearest_365d,
           arg_max(category, (occurred_at, event_id)) FILTER (a AND ordered) AS orders__last_category_lifetime,
           count(*) FILTER (a AND viewed AND occurred_at > $at - INTERVAL 168 HOUR) AS visits__count_7d,
           count(DISTINCT occurred_at::DATE) FILTER (a AND viewed AND in_30d) AS visits__days_30d,
           count(DISTINCT category) FILTER (a AND viewed AND in_90d) AS visits__categories_90d,
           arg_min(device, (occurred_at, event_id)) FILTER (a AND viewed) AS visits__first_device_lifetime
    FROM counted GROUP BY subject
"""
MEMBERS = """
    WITH leaf AS (
        SELECT * FROM open_from LEFT JOIN leaves USING (subject) LEFT JOIN profiles_now USING (subject)
    ),
    flag AS (
        SELECT subject,
               marketing_from IS NOT NULL AND orders_30d >= 1 AS buyers,
               both_from IS NOT NULL AND spend_90d >= 150 AS big_spenders,
               marketing_from IS NOT NULL AND pages_30d >= 3 AND orders_30d = 0 AS browsers,
               analytics_from IS NOT NULL AND first_page_at > $at - INTERVAL 1440 HOUR AS newcomers,
               marketing_from IS NOT NULL AND orders_before >= 1 AND orders_30d = 0 AS lapsing,
               analytics_from IS NOT NULL AND off_web_30d >= 5 AS app_regulars,
               analytics_from IS NOT NULL AND categories_180d >= 3 AS varied_buyers,
               marketing_from IS NOT NULL AND any_90d >= 1 AND plan IN ('plus', 'pro')
                   AND country IN ('DE', 'FR', 'NL') AS active_plus,
               both_from IS NOT NULL AS for_both, orders_365d
        FROM leaf
    ),
    flags AS (
        SELECT * EXCLUDE (for_both, orders_365d),
               buyers AND ('0x' || sha256('half' || chr(0) || subject)[:16])::UBIGINT % 100 < 50 AS buyers_a,
               for_both AND lapsing AND (orders_365d >= 2 OR varied_buyers) AND NOT browsers AS win_back
        FROM flag
    )
    SELECT segment, subject FROM (UNPIVOT flags ON COLUMNS(* EXCLUDE (subject)) INTO NAME segment VALUE member)
    WHERE member
"""
FEATURES = """
    SELECT subject, $at AS as_of,
           coalesce(orders__count_30d, 0) AS orders__count_30d, coalesce(orders__count_365d, 0) AS orders__count_365d,
           coalesce(orders__spend_90d, 0)::DECIMAL(38,2) AS orders__spend_90d,
           (total_365d * 100)::BIGINT::DOUBLE / (amounts_365d * 100)::DOUBLE AS orders__value_365d,
           orders__dearest_365d, orders__last_category_lifetime,
           coalesce(visits__count_7d, 0) AS visits__count_7d, coalesce(visits__days_30d, 0) AS visits__days_30d,
           coalesce(visits__categories_90d, 0) AS visits__categories_90d, visits__first_device_lifetime
    FROM open_from LEFT JOIN leaves USING (subject)
    WHERE analytics_from IS NOT NULL
"""


ANSWERS = {"consent": OPEN, "profiles": LATEST, "leaves": LEAVES}
"""What is asked of the tables before members and features are."""


def by_sql(folder: Path, out: Path, at: str) -> dict[str, float]:
    """Write `events.parquet`, `memberships.parquet` and `feature_rows.parquet` to `out`, for the instant `at` (ISO 8601).

    Gives the seconds that each stage took. The members of a segment are those of one T, by all that the files say.
    """
    out.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    data, to = folder / "data", {name: _named(out / f"{name}.parquet") for name in ("memberships", "feature_rows")}
    stages = {
        "read": EVENTS.replace("$events", f"'{_named(data / 'events' / '*.ndjson')}'"),
        "repeats": REPEATED,
        "once": ONCE,
        "write events": WRITE_EVENTS.format(_named(out / "events.parquet")),
        "read consent": CONSENTS.replace("$consents", f"'{_named(data / 'consents.ndjson')}'"),
        "read profiles": PROFILES.replace("$profiles", f"'{_named(data / 'profiles.ndjson')}'"),
        **ANSWERS,
        "members": f"COPY ({MEMBERS}) TO '{to['memberships']}'",
        "features": f"COPY ({FEATURES}) TO '{to['feature_rows']}'",
    }
    seconds = {}
    for name, sql in stages.items():
        started = time.perf_counter()
        con.execute(_dated(sql, at))
        seconds[name] = time.perf_counter() - started
    return seconds


def kernel_by_sql(con: duckdb.DuckDBPyConnection, at: str) -> None:
    """Only the answers: from the tables `events_once`, `consents` and `profiles` to `members` and `features` in memory."""
    for sql in (*ANSWERS.values(), f"CREATE TABLE members AS {MEMBERS}", f"CREATE TABLE features AS {FEATURES}"):
        con.execute(_dated(sql, at))


def _dated(sql: str, at: str) -> str:
    """The instant as a constant: a bound parameter would make DuckDB import pandas, half a second."""
    return sql.replace("$at", f"'{at}'::TIMESTAMPTZ")


def _named(path: Path) -> str:
    return str(path).replace("'", "''")


def main() -> None:
    """Run all of it, and say what took how long."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    parser.add_argument("out", type=Path, nargs="?", default=HERE / "target" / "by_sql")
    parser.add_argument("--at", default="2026-01-01T00:00:00Z")
    asked = parser.parse_args()
    seconds = by_sql(asked.folder, asked.out, asked.at)
    for name, took in {**seconds, "all": sum(seconds.values())}.items():
        print(f"{name:13}{took:8.2f} s")


if __name__ == "__main__":
    main()
