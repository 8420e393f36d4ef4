"""The audit of a staged run: nothing is published that breaks a rule of the warehouse or of the user."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from runners.expecting import broken_expectations
from runners.finding import Finding, fail, place
from runners.run_plan import RunPlan
from runners.staging import FATES, Staged, Staging
from runners.warehouses.ducklake import Lake, instant, named, quoted

KEYS: dict[str, tuple[str, ...]] = {
    "events": ("source", "subject", "event_id"),
    "profiles": ("source", "subject", "position"),
    "consents": ("source", "subject", "purpose", "channel", "event_id", "record_hash"),
    "quarantine": ("source", "position"),
    "transitions": ("segment", "version", "subject", "at"),
    "closings": ("segment", "version", "subject", "at"),
    "changes": ("segment", "version", "subject", "kind", "effective_at"),
    "upcoming": ("segment", "version", "subject"),
    "feature_rows": ("subject",),
}
"""What no two staged rows of a table share. Two bodies of one consent id are two rows of the ledger."""

PUBLISHED_KEYS = ("events", "profiles", "consents", "quarantine")
"""Tables whose keys must also be new to the warehouse, unless the row replaces its stored twin."""


class Check(NamedTuple):
    """One rule.

    Attributes:
      name: the rule in short.
      why: what a violation means.
      sql: a SELECT of the violating rows, with `_file` and `_row`, their place in staging (null where there is none).
    """

    name: str
    why: str
    sql: str


def audit(lake: Lake, plan: RunPlan, horizon_at: int | None) -> None:
    """Check all that is staged. Raises AuditFailed with every broken rule, its rows and why."""
    fail(findings(lake, checks(plan, horizon_at)))
    fail(broken_expectations(lake, plan))


def check_schemas(staged: Staging) -> None:
    """See that every staged file has exactly the columns of its table. Raises AuditFailed."""
    fail([finding for table in staged.tables.values() for finding in _other_schemas(table)])


def _other_schemas(table: Staged) -> Iterator[Finding]:
    for path in table.files:
        try:
            found = pq.read_schema(path)
        except (pa.ArrowInvalid, OSError):
            yield Finding(
                f"{table.name}: files", 1, "the file is no Parquet file, or cut short", (place(str(path), None),)
            )
            continue
        differs = _difference(table.schema, found)
        if differs:
            yield Finding(f"{table.name}: columns", 1, differs, (place(str(path), None),))


def _difference(wanted: pa.Schema, found: pa.Schema) -> str:
    """What is different between two schemas, names, order and types; '' for nothing."""
    if wanted.names != found.names:
        return f"columns are {', '.join(found.names)}, not {', '.join(wanted.names)}"
    pairs = zip(wanted, found, strict=True)
    return ", ".join(f"`{a.name}` is {b.type}, not {a.type}" for a, b in pairs if a.type != b.type)


def findings(lake: Lake, rules: Sequence[Check]) -> list[Finding]:
    """The rules that are broken, counted by the engine into one small frame."""
    return [finding for rule in rules if (finding := _finding(lake, rule))]


def _finding(lake: Lake, rule: Check) -> Finding | None:
    count, first = lake.rows(
        f"SELECT count(*), (list({{'file': _file, 'row': _row}} ORDER BY _file, _row))[:3] FROM ({rule.sql})"
    )[0]
    if not count:
        return None
    places = tuple(place(one["file"], one["row"]) for one in first if one["file"])
    return Finding(rule.name, count, rule.why, places)


def checks(plan: RunPlan, horizon_at: int | None) -> list[Check]:
    """Every rule over the staged tables and the record."""
    return [
        *(_unique(table, key) for table, key in KEYS.items()),
        *(_filled(table, key) for table, key in KEYS.items()),
        *([] if plan.full_refresh else [_new(table, plan.reread) for table in PUBLISHED_KEYS]),
        *_reconciled(),
        *_within(plan.t_at),
        *_recorded(plan, horizon_at),
    ]


def _unique(table: str, key: tuple[str, ...]) -> Check:
    return Check(
        f"{table}: unique key",
        f"staged rows share {', '.join(key)}",
        f"SELECT max(_file) AS _file, max(_row) AS _row FROM staged_{table} GROUP BY {_columns(key)} HAVING count(*) > 1",
    )


def _filled(table: str, key: tuple[str, ...]) -> Check:
    nulls = " OR ".join(f"{named(column)} IS NULL" for column in key)
    return Check(
        f"{table}: key present",
        f"one of {', '.join(key)} is null",
        f"SELECT _file, _row FROM staged_{table} WHERE {nulls}",
    )


def _new(table: str, reread: Iterable[str]) -> Check:
    fresh = "true" if table == "quarantine" else "replaces IS NOT TRUE"
    fresh += "".join(f" AND source <> {quoted(source)}" for source in sorted(reread))
    return Check(
        f"{table}: not published yet",
        "the key is in the warehouse already, and the row does not replace it",
        f"SELECT _file, _row FROM staged_{table} SEMI JOIN {table} USING ({_columns(KEYS[table])}) WHERE {fresh}",
    )


def _columns(names: Sequence[str]) -> str:
    return ", ".join(map(named, names))


def _reconciled() -> list[Check]:
    fates = " + ".join(f"coalesce({name}, 0)" for name in FATES)
    return [
        Check(
            "fates: every record has one",
            f"read is not {' + '.join(FATES)}",
            f"SELECT _file, _row FROM staged_fates WHERE read IS DISTINCT FROM {fates}",
        ),
        Check(
            "fates: what was set aside is in quarantine",
            "the counts of quarantined and future records are not those of the quarantine rows",
            """
            SELECT NULL AS _file, NULL AS _row
            FROM (SELECT coalesce(sum(quarantined), 0) AS bad, coalesce(sum(future), 0) AS early,
                         coalesce(sum(late), 0) AS late FROM staged_fates),
                 (SELECT count(*) FILTER (reason NOT IN ('late', 'future')) AS bad_rows,
                         count(*) FILTER (reason = 'future') AS early_rows,
                         count(*) FILTER (reason = 'late') AS late_rows FROM staged_quarantine)
            WHERE bad <> bad_rows OR early <> early_rows OR late_rows > late
            """,
        ),
        Check(
            "verdicts: the same sums for every purpose",
            "the verdicts of one purpose count other events or subjects than those of another",
            """
            SELECT NULL AS _file, NULL AS _row
            FROM (SELECT sum(events) AS events, sum(subjects) AS subjects FROM staged_verdicts GROUP BY purpose)
            HAVING min(events) <> max(events) OR min(subjects) <> max(subjects)
            """,
        ),
    ]


def _within(t_at: int) -> list[Check]:
    """Nothing is said about instants after T."""
    t = instant(t_at)
    beyond = {
        "transitions": f'"at" > {t}',
        "changes": f"effective_at > {t} OR until_at > {t}",
        "upcoming": f"next_transition_at <= {t}",
    }
    return [
        Check(
            f"{table}: on its side of T",
            "an instant after T" if table != "upcoming" else "the next transition is not after T",
            f"SELECT _file, _row FROM staged_{table} WHERE {condition}",
        )
        for table, condition in beyond.items()
    ]


def _recorded(plan: RunPlan, horizon_at: int | None) -> list[Check]:
    """The record after this run is a history: whole, alternating, told of in changes."""
    after = instant(horizon_at) if horizon_at is not None else "CAST('-infinity' AS TIMESTAMPTZ)"
    known = [
        Check(
            f"{table}: versions of this run",
            "the segment or its version is not among the run's",
            f"SELECT _file, _row FROM staged_{table} ANTI JOIN run_versions USING (segment, version)",
        )
        for table in ("transitions", "changes", "upcoming")
    ]
    return [
        *known,
        Check(
            "closings: of the record",
            "there is no current transition to close",
            "SELECT _file, _row FROM staged_closings ANTI JOIN (FROM segment_transitions WHERE known_to IS NULL) "
            'USING (segment, version, subject, "at")',
        ),
        Check("transitions: alternate", "two neighbours of one subject's history say the same", _ALTERNATE),
        Check(
            "changes: one for each transition",
            "a transition after the last T without its change, or a change without its transition",
            _TOLD.replace("$after", after),
        ),
    ]


_ALTERNATE = """
WITH touched AS (
  SELECT segment, version, subject FROM run_transitions UNION SELECT segment, version, subject FROM run_closings
), history AS (
  SELECT segment, version, subject, "at", member
  FROM (FROM segment_transitions WHERE known_to IS NULL)
  SEMI JOIN touched USING (segment, version, subject)
  ANTI JOIN run_closings USING (segment, version, subject, "at")
  UNION ALL
  SELECT segment, version, subject, "at", member FROM run_transitions
)
SELECT NULL AS _file, NULL AS _row FROM (
  SELECT member, lag(member, 1, false) OVER (PARTITION BY segment, version, subject ORDER BY "at") AS before FROM history
)
WHERE member IS NULL OR member = before
"""

_TOLD = """
WITH moved AS (
  SELECT segment, version, subject, "at", member FROM run_transitions WHERE "at" > $after
), told AS (
  SELECT segment, version, subject, effective_at AS "at", member FROM run_changes
  WHERE kind <> 'corrected' AND (kind = 'entered') = member
)
(SELECT NULL AS _file, NULL AS _row FROM moved ANTI JOIN told USING (segment, version, subject, "at", member))
UNION ALL
(SELECT NULL, NULL FROM told ANTI JOIN moved USING (segment, version, subject, "at", member))
UNION ALL
(SELECT NULL, NULL FROM run_changes WHERE kind <> 'corrected' AND (kind = 'entered') IS DISTINCT FROM member)
"""
