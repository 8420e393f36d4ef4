"""Two states of the record compared: who entered, who left, whose membership began anew, and why, by the record alone."""

import re
from typing import Any, NamedTuple

import pyarrow as pa

from runners.warehouses.backfills import DONE, backfills, intervals_of
from runners.warehouses.lake import Lake, instant, quoted
from runners.warehouses.query import AS_OF
from schemas.definitions.instant import write_instant
from schemas.errors import CallError

_VERSION = re.compile(r"([a-z][a-z0-9_]*)@([0-9]{1,9})")


class Side(NamedTuple):
    """The members at T by what was published at K: of all segments, or of one version. Instants are microseconds UTC.

    `kind` is what the name is: of a run, a version or a target. `source` is SQL that takes the place of the record.
    """

    name: str
    t_at: int
    known_at: int
    segment: str = ""
    version: int = 0
    kind: str = "run_id"
    source: str = ""

    @property
    def members(self) -> str:
        """Segment, subject and since when, as SQL."""
        one = f" WHERE segment = {quoted(self.segment)} AND version = {self.version}" if self.segment else ""
        return f"SELECT segment, subject, since FROM {self.source or self.recorded}{one}"

    @property
    def recorded(self) -> str:
        """What the record says, as SQL."""
        return f"as_of({instant(self.t_at)}, {instant(self.known_at)})"

    @property
    def told(self) -> dict[str, str]:
        """As JSON has it."""
        return {self.kind: self.name, "t": write_instant(self.t_at), "k": write_instant(self.known_at)}


# Who is a member on one side alone, or since another instant.
_MOVES = """
CREATE OR REPLACE TEMP TABLE diff_moves AS
SELECT coalesce(a.segment, b.segment) AS segment, coalesce(a.subject, b.subject) AS subject, a.since AS before, b.since AS after,
       CASE WHEN before IS NULL THEN 'entered' WHEN after IS NULL THEN 'left' WHEN before <> after THEN 'moved' END AS change
FROM ($a) a FULL JOIN ($b) b ON a.segment = b.segment AND a.subject = b.subject
"""

# The last announcement that made the answer at T what it is; of a membership that began anew, the last of any kind.
# It lies between the two sides, whichever of them is the later one.
_REASONS = """
WITH announced AS (
  SELECT c.*, c.kind <> 'corrected' OR c.until_at >= r.t AS reaches FROM segment_changes c JOIN run_manifest r USING (run_id)
  WHERE c.known_at > $known_before AND c.known_at <= $known
), reasons AS (
  SELECT m.segment, m.subject, m.change,
         coalesce(arg_max(c.reason, (c.known_at, c.kind <> 'corrected', c.effective_at)) FILTER (
           m.change = 'moved' OR (c.reaches AND c.member = (m.change = $entered))
         ), $otherwise) AS reason
  FROM diff_moves m LEFT JOIN announced c ON m.segment = c.segment AND m.subject = c.subject
  WHERE m.change IS NOT NULL GROUP BY ALL
)
SELECT segment, change, reason, count(*) AS subjects, (list(subject ORDER BY subject))[:$limit] AS few
FROM reasons GROUP BY ALL ORDER BY segment, change, subjects DESC, reason
"""

_SIZES = """
SELECT segment, count(before) AS before, count(after) AS after, count(*) FILTER (change = 'entered') AS entered,
       count(*) FILTER (change = 'left') AS "left", count(*) FILTER (change = 'moved') AS moved
FROM diff_moves GROUP BY segment ORDER BY segment
"""


class Difference(NamedTuple):
    """What is different between two sides: sizes and numbers of each segment, and the numbers by reason."""

    a: Side
    b: Side
    segments: pa.Table
    changes: pa.Table

    @property
    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"a": self.a.told, "b": self.b.told, "segments": self.segments.to_pylist(), "changes": self.changes.to_pylist()}


def diff(lake: Lake, a: str, b: str, limit: int) -> Difference:
    """Compare two runs by their ids, or two versions of a segment, written `name@1`; `limit` names for each reason.

    Versions are compared at the T of the last run of the older one: only the definition lies between them, and what was
    news to the first run of the other. Errors: CallError for what is not in the record.
    """
    one, other = _sides(lake, a, b)
    return compared(lake, one, other, other.members, limit)


def compared(lake: Lake, one: Side, other: Side, others: str, limit: int) -> Difference:
    """Compare one side with the members that `others` gives, as SQL; the reasons are those of the record between them."""
    lake.run(AS_OF)
    lake.run(_MOVES.replace("$a", one.members).replace("$b", others))
    is_backward = one.known_at > other.known_at
    is_recorded = one.kind != "target"
    values = {
        "$known_before": instant(min(one.known_at, other.known_at)) if is_recorded else "TIMESTAMPTZ 'infinity'",
        "$known": instant(max(one.known_at, other.known_at)),
        "$entered": "'left'" if is_backward else "'entered'",
        "$limit": str(limit),
        "$otherwise": "'definition'" if one.source or other.source else "NULL",
    }
    statement = _REASONS
    for name, value in values.items():
        statement = statement.replace(name, value)
    return Difference(one, other, lake.arrow(_SIZES), lake.arrow(statement))


def _sides(lake: Lake, a: str, b: str) -> tuple[Side, Side]:
    found = _VERSION.fullmatch(a), _VERSION.fullmatch(b)
    if found[0] and found[1]:
        if found[0][1] != found[1][1]:
            raise CallError("SEG-0913", f"`{a}` and `{b}` are versions of two segments", "give two of one, as name@1 name@2")
        one, other = int(found[0][2]), int(found[1][2])
        sides = _versions(lake, found[0][1], min(one, other), max(one, other))
        return sides if one <= other else (sides[1], sides[0])
    if found[0] or found[1]:
        raise CallError("SEG-0913", "a run and a version are not of one kind", "give two runs, or two versions of one segment")
    return _run(lake, a), _run(lake, b)


def _run(lake: Lake, asked: str) -> Side:
    """The run whose id begins so."""
    begins = f"starts_with(run_id, {quoted(asked)})"
    found = lake.rows(f"SELECT run_id, epoch_us(t), epoch_us(k) FROM run_manifest WHERE {begins} ORDER BY k")
    if len(found) != 1 or not asked:
        what = "no run has an id" if not found else "more than one run has an id"
        raise CallError("SEG-0913", f"{what} that begins with `{asked}`", "`segue runs` lists them; a version is name@1")
    return Side(*found[0])


def _versions(lake: Lake, segment: str, older: int, newer: int) -> tuple[Side, Side]:
    """The older version by its last run, and the newer one by its first."""
    begun = dict(lake.rows(_BEGUN.replace("$segment", quoted(segment))))
    if older in begun and newer not in begun and (found := _backfilled(lake, segment, older, newer)):
        return found
    for version in (older, newer):
        if version not in begun:
            known = ", ".join(f"{segment}@{one}" for one in begun)
            raise CallError("SEG-0913", f"no version `{segment}@{version}` was published", f"there is {known}" if known else "")
    ended = _ENDED.replace("$segment", quoted(segment)).replace("$version", str(older)).replace("$begun", instant(begun[older]))
    ((t_at, known_at),) = lake.rows(f"SELECT epoch_us(t), epoch_us(k) FROM run_manifest WHERE {ended} ORDER BY k DESC LIMIT 1")
    first_at = lake.value(f"SELECT epoch_us(t) FROM run_manifest WHERE k = {instant(begun[newer])}")
    at, last = min(t_at, first_at), (known_at, known_at) if older == newer else (known_at, begun[newer])
    sides = zip((older, newer), last, strict=True)
    one, other = (Side(f"{segment}@{version}", at, known, segment, version, "version") for version, known in sides)
    return one, other


def _backfilled(lake: Lake, segment: str, older: int, newer: int) -> tuple[Side, Side] | None:
    """A version that was published, and one whose past was computed, at its end; `since` is never before its beginning."""
    found = [one for one in backfills(lake) if one.segments.get(segment, (0, ""))[0] == newer]
    done = [one for backfill in found[-1:] for one in intervals_of(lake, backfill.backfill_id) if one.status == DONE]
    if not done:
        return None
    at, known_at = max(one.to_at for one in done) - 1, found[-1].known_at
    one, other = (Side(f"{segment}@{version}", at, known_at, segment, version, "version") for version in (older, newer))
    since = f"greatest(since, {instant(min(one.from_at for one in done))}) AS since"
    was = f"(SELECT * REPLACE ({since}) FROM {one.recorded})"
    return one._replace(source=was), other._replace(source=_WOULD_BE.replace("$t", instant(at)))


_WOULD_BE = """
(SELECT segment, version, subject, valid_from AS since FROM segment_backfilled WHERE valid_from <= $t AND valid_to > $t)
"""

_BEGUN = """
SELECT v.version, epoch_us(m.k) FROM segment_versions v JOIN run_manifest m ON m.run_id = v.from_run
WHERE v.segment = $segment ORDER BY v.version
"""

# A version stands until another one begins, or until it is withdrawn by its definition alone.
_ENDED = """
k < (
  SELECT coalesce(min(k), TIMESTAMPTZ 'infinity') FROM (
    SELECT m.k FROM segment_versions v JOIN run_manifest m ON m.run_id = v.from_run
    WHERE v.segment = $segment AND v.version > $version
    UNION ALL SELECT known_at FROM segment_changes
    WHERE segment = $segment AND version = $version AND reason = 'definition' AND known_at > $begun
  )
)
"""
