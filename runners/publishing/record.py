"""What a run does to the record: rows to close, transitions to insert, changes to tell of, as views for publishing.

Mostly these are the staged rows as they are. Where a whole history was staged, and where a version is no longer
defined, the difference to the published record is computed here: what is equal is left alone.
"""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from runners.audits.rules import KEYS
from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import Lake, instant, quoted
from runners.warehouses.published import LastRun
from schemas.consent import RESTRICTIVE
from transforms.together import together

_SCOPE = pa.schema([("segment", pa.string()), ("version", pa.int32())])
_VERSIONS = pa.schema([*_SCOPE, ("meaning", pa.string())])

_PUBLISHED = """
CREATE OR REPLACE TEMP TABLE record_published AS
SELECT segment, version, subject, purpose, valid_from, valid_to, valid_to AS ended_at
FROM segment_history SEMI JOIN run_scope USING (segment, version)
WHERE known_to IS NULL
  AND (valid_to IS NULL OR valid_to >= $from OR (segment, version) IN (SELECT (segment, version) FROM run_versions))
"""

# `ended_at`: the end, where it lies up to the last T. A later one is news of an interval that stands as it is.
_STAGED = """
CREATE OR REPLACE TEMP TABLE record_staged AS
SELECT segment, version, subject, purpose, "at" AS valid_from, valid_to,
       CASE WHEN valid_to <= $horizon THEN valid_to END AS ended_at
FROM (
  SELECT *, lead("at") OVER (PARTITION BY segment, version, subject ORDER BY "at") AS valid_to
  FROM staged_transitions SEMI JOIN run_scope USING (segment, version)
)
WHERE member
"""

# What can not be computed any more stands, of a version that is not defined any more, too, up to the horizon: of those that are
# workers were told what was published, and stage what stands of it.
_STANDS = """
INSERT INTO record_staged BY NAME
SELECT segment, version, subject, purpose, valid_from, $from AS valid_to, $from AS ended_at
FROM record_published WHERE valid_from < $from AND (segment, version) NOT IN (SELECT (segment, version) FROM run_versions)
"""

_EQUAL = """
  a.segment = b.segment AND a.version = b.version AND a.subject = b.subject AND a.valid_from = b.valid_from
  AND a.ended_at IS NOT DISTINCT FROM b.ended_at
"""

_CLOSINGS = f"""
CREATE OR REPLACE TEMP TABLE record_closings AS
SELECT segment, version, subject, "at" FROM (
  SELECT segment, version, subject, unnest([valid_from, valid_to]) AS "at"
  FROM record_published a ANTI JOIN record_staged b ON {_EQUAL}
)
WHERE "at" IS NOT NULL
"""

_TRANSITIONS = f"""
CREATE OR REPLACE TEMP TABLE record_transitions AS
WITH changed AS (SELECT * FROM record_staged a ANTI JOIN record_published b ON {_EQUAL})
SELECT segment, version, subject, valid_from AS "at", true AS member, purpose FROM changed
UNION ALL
SELECT segment, version, subject, valid_to, false, purpose FROM changed WHERE valid_to IS NOT NULL
UNION ALL
SELECT segment, version, subject, valid_to, false, purpose
FROM record_staged a SEMI JOIN record_published b ON {_EQUAL}
WHERE valid_to IS NOT NULL AND ended_at IS NULL
"""

# A sweep over both histories at once: what each says from each of its instants on, then runs of one difference. A
# difference without an end holds up to T, like a correction of the kernel; where T went back, up to the last one.
_CHANGES = """
CREATE OR REPLACE TEMP TABLE record_changes AS
WITH steps AS (
  SELECT segment, version, subject, valid_from AS "at", 1 AS was, 0 AS becomes FROM record_published
  UNION ALL SELECT segment, version, subject, valid_to, -1, 0 FROM record_published WHERE valid_to IS NOT NULL
  UNION ALL SELECT segment, version, subject, valid_from, 0, 1 FROM record_staged
  UNION ALL SELECT segment, version, subject, valid_to, 0, -1 FROM record_staged WHERE valid_to IS NOT NULL
), instants AS (
  SELECT segment, version, subject, "at", sum(was) AS was, sum(becomes) AS becomes FROM steps
  WHERE "at" <= $horizon GROUP BY ALL
), answers AS (
  SELECT segment, version, subject, "at",
         CAST(sum(becomes) OVER sofar AS INTEGER) AS answer,
         CAST(sum(becomes) OVER sofar - sum(was) OVER sofar AS INTEGER) AS difference
  FROM instants WINDOW sofar AS (PARTITION BY segment, version, subject ORDER BY "at")
), turns AS (
  SELECT *, lag(difference, 1, 0) OVER (PARTITION BY segment, version, subject ORDER BY "at") AS before FROM answers
), stretches AS (
  SELECT *, lead("at") OVER (PARTITION BY segment, version, subject ORDER BY "at") AS until_at
  FROM turns WHERE difference <> before
)
SELECT segment, version, subject, 'corrected' AS kind, "at" AS effective_at,
       coalesce(until_at, $reached) AS until_at, answer = 1 AS member
FROM stretches WHERE difference <> 0
"""

_LATER = """
INSERT INTO record_changes
SELECT segment, version, subject, CASE WHEN member THEN 'entered' ELSE 'exited' END, "at", NULL, member
FROM staged_transitions SEMI JOIN run_scope USING (segment, version) WHERE "at" > $horizon
"""

# Where a correction ends at T itself, its `until_at` alone would say that it reaches T.
_TURNS_AT_T = """
INSERT INTO record_changes
SELECT segment, version, subject, CASE WHEN s.member THEN 'entered' ELSE 'exited' END, "at", NULL, s.member
FROM staged_transitions s SEMI JOIN run_scope USING (segment, version)
SEMI JOIN (FROM record_changes WHERE until_at = $t) c USING (segment, version, subject)
ANTI JOIN record_changes b ON (s.segment, s.version, s.subject, s."at") = (b.segment, b.version, b.subject, b.effective_at)
WHERE "at" = $t AND $t <= $horizon
"""

# A version that begins or ends here is news by itself. Of the others the workers told why; where sources were read once
# more they can not, and a restriction that was not known before is looked for.
_TOLD = """
CREATE OR REPLACE TEMP TABLE record_told AS
SELECT c.*, CASE
  WHEN (c.segment, c.version) NOT IN (SELECT (segment, version) FROM run_standing) THEN 'definition'
  WHEN s.reason IS NOT NULL THEN s.reason
  WHEN c.kind = 'corrected' AND NOT c.member AND r.subject IS NOT NULL THEN 'consent'
  ELSE 'event'
END AS reason
FROM record_changes c
LEFT JOIN staged_changes s ON (c.segment, c.version, c.subject, c.kind, c.effective_at, c.member)
    = (s.segment, s.version, s.subject, s.kind, s.effective_at, s.member) AND c.until_at IS NOT DISTINCT FROM s.until_at
LEFT JOIN run_restricted r ON (c.segment, c.version, c.subject) = (r.segment, r.version, r.subject) AND r.since_at < c.until_at
"""

_STANDING = """
CREATE OR REPLACE TEMP TABLE run_standing AS
SELECT segment, version FROM segment_versions SEMI JOIN run_versions USING (segment, version) WHERE current
"""

_NOBODY_RESTRICTED = """
CREATE OR REPLACE TEMP TABLE run_restricted (segment VARCHAR, version INTEGER, subject VARCHAR, since_at TIMESTAMPTZ)
"""

# Since when what was published of a subject is restricted by rows of the ledger that no run knew before: rows that restrict
# on every channel, and snapshots that leave the purpose out. Those of who was ever linked with it count, too.
_RESTRICTED = """
CREATE OR REPLACE TEMP TABLE run_restricted AS
WITH heard AS (
  SELECT * EXCLUDE (replaces, _file, _row) FROM staged_consents UNION ALL BY NAME SELECT * EXCLUDE run_id FROM consents
), unknown AS (
  FROM heard ANTI JOIN (FROM consents WHERE received_at <= $known_before) USING ($key) WHERE received_at <= $known
), news AS (
  SELECT u.*, coalesce(l.by, u.subject) AS whose FROM unknown u LEFT JOIN run_linked l USING (subject)
), published AS (
  SELECT DISTINCT segment, version, subject, coalesce(l.by, subject) AS whose, unnest(string_split(purpose, '+')) AS purpose
  FROM segment_transitions LEFT JOIN run_linked l USING (subject) WHERE known_to IS NULL
), restricting AS (
  SELECT segment, version, p.subject,
         CASE WHEN action = 'INVALIDATE' AND retroactive THEN $beginning ELSE effective_at END AS effective_at
  FROM published p JOIN news n ON p.whose = n.whose AND n.purpose IN (p.purpose, '*')
  WHERE action IN ($restrictive) AND channel = '*'
  UNION ALL
  SELECT segment, version, p.subject, effective_at
  FROM published p JOIN news n ON p.whose = n.whose AND n.payload_kind = 'snapshot'
  ANTI JOIN heard h ON (h.source, h.subject, h.event_id, h.purpose) = (n.source, n.subject, n.event_id, p.purpose)
    AND h.payload_kind = 'snapshot' AND h.channel = '*'
)
SELECT segment, version, subject, min(effective_at) AS since_at FROM restricting WHERE effective_at <= $horizon GROUP BY ALL
"""

_VIEWS = {
    "closings": 'segment, version, subject, "at"',
    "transitions": 'segment, version, subject, "at", member, purpose',
    "changes": "segment, version, subject, kind, effective_at, until_at, member, reason",
}

_COMPARED = {"closings": "record_closings", "transitions": "record_transitions", "changes": "record_told"}


def prepare_record(lake: Lake, plan: RunPlan, parent: LastRun | None) -> None:
    """Make the views `run_closings`, `run_transitions` and `run_changes`, and `run_versions`, `run_scope` and `run_restricted`.

    Up to the parent's T differences are corrections, after it they are entries and exits.
    """
    versions = [(name, number, meaning) for name, (number, meaning) in sorted(plan.versions.items())]
    scope = [] if stands(plan, parent) else _scope(lake, plan)
    lake.con.register("run_versions", _table(_VERSIONS, versions))
    lake.con.register("run_scope", _table(_SCOPE, scope))
    lake.run(_NOBODY_RESTRICTED)
    if scope:
        _compare(lake, plan, parent)
    for name, columns in _VIEWS.items():
        rows = f"SELECT {columns} FROM staged_{name}"
        if scope:
            rows += f" ANTI JOIN run_scope USING (segment, version) UNION ALL SELECT {columns} FROM {_COMPARED[name]}"
        lake.run(f"CREATE OR REPLACE TEMP VIEW run_{name} AS {rows}")


def stands(plan: RunPlan, parent: LastRun | None) -> bool:
    """Whether the record goes on as it is defined: no version of a segment and no column begins or ends with this run."""
    return parent is not None and not plan.anew and (parent.definitions, parent.read_as) == (plan.definitions, plan.read_as)


def _scope(lake: Lake, plan: RunPlan) -> list[tuple[str, int]]:
    """The segment versions whose record is compared as a whole: those staged so, and those no longer defined."""
    standing = set(lake.rows("SELECT DISTINCT segment, version FROM segment_transitions WHERE known_to IS NULL"))
    defined = {(name, number) for name, (number, _) in plan.versions.items()}
    whole = defined if plan.anew else set()
    return sorted(whole | (standing - defined))


def _compare(lake: Lake, plan: RunPlan, parent: LastRun | None) -> None:
    _register_linked(lake)
    horizon_at, known_before = (BEGINNING_AT, BEGINNING_AT) if parent is None else (parent.t_at, parent.known_at)
    values = {
        "$from": instant(max(plan.horizon_at, BEGINNING_AT)),
        "$horizon": instant(horizon_at),
        "$reached": instant(max(plan.t_at, horizon_at)),
        "$t": instant(plan.t_at),
        "$beginning": instant(BEGINNING_AT),
        "$known_before": instant(known_before),
        "$known": instant(plan.known_at),
        "$key": ", ".join(KEYS["consents"]),
        "$restrictive": ", ".join(map(quoted, RESTRICTIVE)),
    }
    whole = (_PUBLISHED, _STAGED, _STANDS, _CLOSINGS, _TRANSITIONS, _CHANGES)
    for statement in (*whole, _TURNS_AT_T, _LATER, _STANDING, _RESTRICTED, _TOLD):
        lake.run(_filled(statement, values))


def _register_linked(lake: Lake) -> None:
    """Let queries see who is connected by any link as the table `run_linked`: the ids, and the one that stands for all."""
    linked = together(lake.arrow("SELECT subject, to_id FROM identities UNION ALL SELECT subject, to_id FROM staged_identities"))
    lake.con.register("run_linked", pa.table({"subject": linked.ids, "by": linked.by}))


def _filled(statement: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        statement = statement.replace(name, value)
    return statement


BEGINNING_AT = -62_135_596_800_000_000
"""Year 1: before every instant that a table can hold, in microseconds."""


def _table(schema: pa.Schema, rows: Sequence[tuple[str | int, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    return pa.table(
        [pa.array(list(column), kind.type) for column, kind in zip(columns, schema, strict=True)], schema=schema
    )
