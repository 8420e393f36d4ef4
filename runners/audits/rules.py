"""The rules that a staged run must keep: keys, fates, T, and the record that it leaves."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from runners.publishing.staging import FATES
from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import instant, named, quoted
from schemas.kinds import KINDS

KEYS: dict[str, tuple[str, ...]] = {
    **{name: kind.key for name, kind in KINDS.items()},
    "quarantine": ("source", "position"),
    "transitions": ("segment", "version", "subject", "at"),
    "closings": ("segment", "version", "subject", "at"),
    "changes": ("segment", "version", "subject", "kind", "effective_at"),
    "upcoming": ("segment", "version", "subject"),
    "feature_rows": ("subject",),
    "sessions": ("subject", "purpose", "gap", "first_source", "first_subject", "first_event_id"),
    "visitors": ("subject", "purpose", "gap"),
}
"""What no two staged rows of a table share."""

_OF_LINKS = "'cycle', 'super_node', 'blocked'"
"""Why links are set aside: also because of what other links say, and so later than they were read, and again."""
PUBLISHED_KEYS = (*KINDS, "quarantine")
"""Tables whose keys must also be new to the warehouse, unless the row replaces its stored twin."""


class Check(NamedTuple):
    """One rule.

    Attributes:
      name: the rule in short.
      why: what a violation means.
      sql: a SELECT of the violating rows, with `_file` and `_row`, their place in staging (null where there is none).
      over: what is scanned to see whether the rule is broken at all: a staged table's name, or a query in brackets.
      screen: an aggregate over it that is 0 where the rule is kept; all of one scan are counted at once. Without one
        the rule is looked at for itself.
    """

    name: str
    why: str
    sql: str
    over: str
    screen: str = ""


def checks(plan: RunPlan, horizon_at: int | None) -> list[Check]:
    """Every rule over the staged tables and the record. `horizon_at` is the last published T."""
    return [
        *(_unique(table, key) for table, key in KEYS.items()),
        *(_filled(table, key) for table, key in KEYS.items()),
        *([] if plan.full_refresh else [_new(table, plan.reread) for table in PUBLISHED_KEYS]),
        *_reconciled(),
        *_within(plan.t_at),
        *(_of_this_run(table) for table in ("transitions", "changes", "upcoming")),
        *_recorded(plan, horizon_at),
    ]


def _unique(table: str, key: tuple[str, ...]) -> Check:
    return Check(
        f"{table}: unique key",
        f"staged rows share {', '.join(key)}",
        f"SELECT max(_file) AS _file, max(_row) AS _row FROM staged_{table} GROUP BY {_columns(key)} HAVING count(*) > 1",
        table,
        f"count(*) - count(DISTINCT hash({_columns(key)}))",  # equal keys have equal hashes: no pair escapes
    )


def _filled(table: str, key: tuple[str, ...]) -> Check:
    nulls = " OR ".join(f"{named(column)} IS NULL" for column in key)
    return _rows(f"{table}: key present", f"one of {', '.join(key)} is null", table, nulls)


def _rows(name: str, why: str, table: str, condition: str) -> Check:
    """A rule that each row breaks for itself."""
    sql = f"SELECT _file, _row FROM staged_{table} WHERE {condition}"
    return Check(name, why, sql, table, f"count(*) FILTER ({condition})")


def _new(table: str, reread: Iterable[str]) -> Check:
    fresh = f"reason NOT IN ({_OF_LINKS})" if table == "quarantine" else "replaces IS NOT TRUE"
    fresh += "".join(f" AND source <> {quoted(source)}" for source in sorted(reread))
    return Check(
        f"{table}: not published yet",
        "the key is in the warehouse already, and the row does not replace it",
        f"SELECT _file, _row FROM staged_{table} SEMI JOIN {table} USING ({_columns(KEYS[table])}) WHERE {fresh}",
        table,
    )


def _columns(names: Sequence[str]) -> str:
    return ", ".join(map(named, names))


def _reconciled() -> list[Check]:
    fates = " + ".join(f"coalesce({name}, 0)" for name in FATES)
    one_each = f"read IS DISTINCT FROM {fates}"
    return [_rows("fates: every record has one", f"read is not {' + '.join(FATES)}", "fates", one_each), *_SUMS]


_SUMS = (
    Check(
        "fates: what was set aside is in quarantine",
        "the counts of quarantined and future records are not those of the quarantine rows",
        f"""
        SELECT NULL AS _file, NULL AS _row
        FROM (SELECT coalesce(sum(quarantined), 0) AS bad, coalesce(sum(future), 0) AS early,
                     coalesce(sum(late), 0) AS late FROM staged_fates),
             (SELECT count(*) FILTER (reason NOT IN ('late', 'future')) AS bad_rows,
                     count(*) FILTER (reason = 'future') AS early_rows,
                     count(*) FILTER (reason = 'late') AS late_rows,
                     count(*) FILTER (reason IN ({_OF_LINKS})) AS of_links FROM staged_quarantine)
        WHERE bad NOT BETWEEN bad_rows - of_links AND bad_rows OR early <> early_rows OR late_rows > late
        """,
        "",
    ),
    Check(
        "verdicts: the same sums for every purpose",
        "the verdicts of one purpose count other events or subjects than those of another",
        """
        SELECT NULL AS _file, NULL AS _row
        FROM (SELECT sum(events) AS events, sum(subjects) AS subjects FROM staged_verdicts GROUP BY purpose)
        HAVING min(events) <> max(events) OR min(subjects) <> max(subjects)
        """,
        "verdicts",
    ),
    Check(
        "lifecycles: everybody whose purpose is open is in one phase",
        "a lifecycle counts other subjects than the verdicts of its purpose allow",
        """
        SELECT NULL AS _file, NULL AS _row
        FROM (SELECT lifecycle, purpose, sum(subjects) AS counted FROM staged_lifecycles GROUP BY ALL)
        LEFT JOIN (
          SELECT purpose, sum(subjects) FILTER (starts_with(reason, 'ALLOW_')) AS allowed FROM staged_verdicts GROUP BY ALL
        ) USING (purpose)
        WHERE purpose NOT LIKE '%+%' AND counted IS DISTINCT FROM allowed
        """,
        "lifecycles",
    ),
)
"""Numbers of one staged table that follow from another's."""


def _within(t_at: int) -> list[Check]:
    """Nothing is said about instants after T."""
    t = instant(t_at)
    beyond = {
        "transitions": f'"at" > {t}',
        "changes": f"effective_at > {t} OR until_at > {t}",
        "upcoming": f"next_transition_at <= {t}",
        "sessions": f"started_at > {t}",
    }
    return [
        _rows(
            f"{table}: on its side of T",
            "an instant after T" if table != "upcoming" else "the next transition is not after T",
            table,
            condition,
        )
        for table, condition in beyond.items()
    ]


def _of_this_run(table: str) -> Check:
    return _rows(
        f"{table}: versions of this run",
        "the segment or its version is not among the run's",
        table,
        "((segment, version) IN (SELECT (segment, version) FROM run_versions)) IS NOT TRUE",
    )


def _recorded(plan: RunPlan, horizon_at: int | None) -> list[Check]:
    """The record after this run is a history: whole, alternating, told of in changes."""
    after = instant(horizon_at) if horizon_at is not None else "CAST('-infinity' AS TIMESTAMPTZ)"
    t = instant(plan.t_at)

    def filled(statement: str) -> str:
        return statement.replace("$turns", _TURNS).replace("$after", after).replace("$t", t)

    neighbours = _NEIGHBOURS.replace("$standing", _STANDING if plan.parent else "")
    by_hash = neighbours.replace("BY $history", "BY history").replace("$history", f"hash({_columns(_HISTORY)}) AS history")
    neighbours = neighbours.replace("$history", _columns(_HISTORY))
    return [
        Check(
            "closings: of the record",
            "there is no current transition to close",
            "SELECT _file, _row FROM staged_closings ANTI JOIN (FROM segment_transitions WHERE known_to IS NULL) "
            'USING (segment, version, subject, "at")',
            "closings",
        ),
        Check(
            "transitions: alternate",
            "two neighbours of one subject's history say the same",
            f"SELECT NULL AS _file, NULL AS _row FROM ({neighbours}) WHERE member IS NULL OR member = before",
            f"({by_hash})",
            "count(*) FILTER (member IS NULL OR member = before)",
        ),
        Check(
            "changes: one for each transition",
            "a transition after the last T without its change, or a change without its transition",
            filled(_TOLD),
            filled(_BOTH),
            "coalesce(abs(sum(side * told)), 0)",
        ),
    ]


_HISTORY = ("segment", "version", "subject")

# What each row of a history says, and what the row before it says.
_NEIGHBOURS = """
SELECT member, lag(member, 1, false) OVER (PARTITION BY $history ORDER BY "at") AS before FROM (
  SELECT $history, "at", member FROM run_transitions
  $standing
)
"""

_STANDING = """
  UNION ALL
  SELECT $history, "at", member
  FROM (FROM segment_transitions WHERE known_to IS NULL)
  SEMI JOIN (SELECT segment, version, subject FROM run_transitions UNION ALL SELECT segment, version, subject FROM run_closings)
  USING (segment, version, subject)
  ANTI JOIN run_closings USING (segment, version, subject, "at")
"""

_TOLD = """
WITH moved AS (
  SELECT segment, version, subject, "at", member FROM run_transitions WHERE "at" > $after
), told AS (
  SELECT segment, version, subject, effective_at AS "at", member FROM run_changes
  WHERE kind <> 'corrected' AND (kind = 'entered') = member AND NOT $turns
)
(SELECT NULL AS _file, NULL AS _row FROM moved ANTI JOIN told USING (segment, version, subject, "at", member))
UNION ALL
(SELECT NULL, NULL FROM told ANTI JOIN moved USING (segment, version, subject, "at", member))
UNION ALL
(SELECT NULL, NULL FROM run_changes WHERE kind <> 'corrected' AND (kind = 'entered') IS DISTINCT FROM member)
"""

# Transitions and what is told of them, as numbers that cancel each other where each has its twin.
_BOTH = """(
SELECT 1 AS side, CAST(hash(segment, version, subject, "at", member, if(member, 'entered', 'exited')) AS HUGEINT) AS told
FROM run_transitions WHERE "at" > $after
UNION ALL
SELECT -1, CAST(hash(segment, version, subject, effective_at, member, kind) AS HUGEINT)
FROM run_changes WHERE kind <> 'corrected' AND NOT $turns
)"""

# The turn at T itself of what a correction has told up to there.
_TURNS = """(
  $after >= $t AND effective_at = $t AND (segment, version, subject) IN
  (SELECT (segment, version, subject) FROM run_changes WHERE kind = 'corrected' AND until_at = $t)
)"""
