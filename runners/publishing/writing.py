"""The statements of one commit: what a run writes into each table of the warehouse."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runners.audits.rules import KEYS
from runners.publishing.exposing import find_exposed
from runners.publishing.letting_go import Gone, let_go
from runners.publishing.pointing import pointed
from runners.publishing.record import stands
from runners.publishing.staging import BESIDE, FATES
from runners.runs.run_plan import RunPlan, canonical
from runners.warehouses.lake import Lake, instant, named, quoted
from runners.warehouses.published import LastRun
from runners.warehouses.states import StateFile
from schemas.kinds import KINDS
from transforms.algebra.order import BEGINNING
from transforms.faults import reach

# A subject that is not known any more has a row of nulls now, and one without a last row had one before.
_ANEW = """
WITH unsure AS (
  FROM staged_feature_rows WHERE unsure
), last AS (
  SELECT subject, $values FROM feature_rows WHERE as_of <= $as_of AND ($anew OR subject IN (SELECT subject FROM unsure))
  QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1
), now AS (
  SELECT subject, $values FROM unsure
  UNION ALL SELECT subject, $nulls FROM last ANTI JOIN unsure USING (subject)
), before AS (
  SELECT subject, $values FROM last
  UNION ALL SELECT subject, $nulls FROM unsure ANTI JOIN last USING (subject)
)
(SELECT * FROM now EXCEPT SELECT * FROM before) UNION ALL SELECT subject, $values FROM staged_feature_rows WHERE NOT unsure
"""

# The length tells where an id ends whatever is in it, and the subject comes last: no two first events read the same.
_SESSIONS = """
CREATE OR REPLACE TEMP TABLE run_sessions AS
SELECT
  sha256(concat_ws(
    '|', purpose, gap, first_source, length(first_event_id), first_event_id, length(first_subject), first_subject, subject
  ))[:32] AS session_id,
  subject, started_at, ended_at, events, entry, "exit", channel, converted, purpose, gap
FROM staged_sessions
"""
_TOLD_ANEW = """
SEMI JOIN staged_visitors v ON sessions.subject = v.subject AND sessions.purpose = v.purpose AND sessions.gap = v.gap
  AND (v.told_from_at IS NULL OR sessions.ended_at IS NULL OR sessions.ended_at > v.told_from_at)
"""


@dataclass
class Writing:
    """One run, ready to be written. `write` may be repeated after a rollback.

    Attributes:
      counts: staged table -> its rows: what is empty asks nothing of the warehouse.
      parent: the run that this one builds on.
      states: the state files, in their place.
      adopted: table -> the folder of the files that become rows of it as they are.
      rows: table -> rows written.
      gone: what retention has let go.
    """

    lake: Lake
    plan: RunPlan
    counts: Mapping[str, int]
    parent: LastRun | None
    states: Sequence[StateFile]
    adopted: Mapping[str, Path]
    rows: Counter[str] = field(default_factory=Counter)
    gone: Gone = field(default_factory=Gone)

    def write(self) -> None:
        """Write all tables; the caller's transaction makes them flip together."""
        self.rows.clear()
        for part in self._parts:
            part()
            reach("part_written")

    @property
    def _parts(self) -> tuple[Callable[[], None], ...]:
        """In this order: what goes is of what was there before, and exposures are found before anything is closed."""
        return (
            self._let_go,
            self._forget,
            self._facts,
            self._exposures,
            self._record,
            self._changes,
            self._features,
            self._sessions,
            self._lifecycles,
            self._counts,
            self._versions,
            self._states,
            self._manifest,
        )

    @property
    def _stamp(self) -> str:
        return f"{quoted(self.plan.run_id)} AS run_id"

    def _insert(self, table: str, select: str) -> None:
        self.rows[table] += self.lake.insert(table, select)

    def _any(self, relation: str) -> bool:
        return bool(self.lake.value(f"SELECT EXISTS (FROM {relation})"))

    def _forget(self) -> None:
        """What sources that were read from their beginning said before goes."""
        for table in (*KINDS, "quarantine"):
            if self.plan.full_refresh:
                self.lake.clear(table)
            elif self.plan.reread:
                self.lake.delete(table, ("source",), f"SELECT unnest([{self._reread}]) AS source")
        if self.plan.full_refresh:
            later = f"SELECT DISTINCT as_of FROM feature_rows WHERE as_of > {instant(self.plan.t_at)}"
            self.lake.delete("feature_rows", ("as_of",), later)

    @property
    def _reread(self) -> str:
        return ", ".join(map(quoted, sorted(self.plan.reread)))

    @property
    def _stands(self) -> bool:
        return stands(self.plan, self.parent)

    def _facts(self) -> None:
        for table, columns in self.plan.fact_columns.items():
            self.lake.widen(table, columns, {})
        for table in filter(self.counts.get, KINDS):
            if not self.plan.full_refresh and self._any(f"staged_{table} WHERE replaces"):
                self.lake.delete(table, KEYS[table], f"FROM staged_{table} WHERE replaces")
            rows = f"SELECT * EXCLUDE (replaces, _file, _row), {self._stamp} FROM staged_{table}"
            if table in self.adopted:
                self.rows[table] += self.lake.adopt(table, self.adopted[table], rows)
            else:
                self._insert(table, rows)
        if self.counts["quarantine"]:
            rows = f"FROM staged_quarantine ANTI JOIN ({self._set_aside}) USING (source, position)"
            self._insert("quarantine", f"SELECT * EXCLUDE (_file, _row), {self._stamp} {rows}")

    @property
    def _set_aside(self) -> str:
        """What stays of the quarantine: a link in it may be refused again."""
        gone = "false" if self.plan.full_refresh else f"source NOT IN ({self._reread})" if self.plan.reread else "true"
        return f"SELECT source, position FROM quarantine WHERE {gone}"

    @property
    def _change_id(self) -> str:
        # The subject comes last: no other part holds the separator, so that no two keys read the same.
        key = f"segment, version, kind, epoch_us(effective_at), CAST({self.plan.known_at} AS BIGINT), subject"
        return f"sha256(concat_ws('|', {key}))[:32] AS change_id"

    def _exposures(self) -> None:
        """Found before anything is closed, where a membership is taken back."""
        if not (self._is_any_change and self._any("run_changes WHERE kind = 'corrected' AND NOT member")):
            return
        exposed = find_exposed(self.lake, again=self.plan.full_refresh or bool(self.plan.reread))
        if exposed:
            learned = f"emitted_at, wrong_since_at, {instant(self.plan.known_at)} AS learned_at, {self._stamp}"
            keyed = f"SELECT *, 'corrected' AS kind FROM ({exposed})"
            self._insert("exposures", f"SELECT {self._change_id}, segment, version, subject, {learned} FROM ({keyed})")

    def _record(self) -> None:
        """Close what is not believed any more, then insert."""
        known = instant(self.plan.known_at)
        if self._any("run_closings"):
            self.lake.assign(
                "segment_transitions", "known_to", KEYS["closings"], f"SELECT *, {known} AS known_to FROM run_closings", once=True
            )
        believed = f"{known} AS known_from, CAST(NULL AS TIMESTAMPTZ) AS known_to"
        self._insert("segment_transitions", f"SELECT *, {believed}, {self._stamp} FROM run_transitions")
        self._upcoming()

    def _upcoming(self) -> None:
        if self._stands and not self.counts["upcoming"]:
            return
        key = ", ".join(KEYS["upcoming"])
        again = f"SELECT {key} FROM staged_upcoming"
        if not self._stands:
            others = "(segment, version) NOT IN (SELECT (segment, version) FROM run_versions)"
            whole = "(segment, version) IN (SELECT (segment, version) FROM run_scope)"
            again += f" UNION SELECT {key} FROM segment_upcoming WHERE {others} OR {whole}"
        self.lake.delete("segment_upcoming", KEYS["upcoming"], again)
        upcoming = "FROM staged_upcoming WHERE next_transition_at IS NOT NULL"
        self._insert("segment_upcoming", f"SELECT * EXCLUDE (_file, _row), {self._stamp} {upcoming}")

    @property
    def _is_any_change(self) -> bool:
        return bool(self.counts["changes"]) or not self._stands

    def _changes(self) -> None:
        if not self._is_any_change:
            return
        told = f"SELECT {self._change_id}, *, {instant(self.plan.known_at)} AS known_at, {self._stamp} FROM run_changes"
        self._insert("segment_changes", told)

    def _features(self) -> None:
        """A subject's row is written when it differs from its last one; of states that do not know it that is found out here."""
        self.lake.widen("feature_rows", self.plan.feature_columns, self.plan.feature_comments)
        if not self.plan.feature_columns or not (self.plan.anew or self.counts["feature_rows"]):
            return
        as_of = instant(self.plan.t_at)
        values, nulls = ", ".join(map(named, self.plan.feature_columns)), ", ".join("NULL" for _ in self.plan.feature_columns)
        is_sure = not (self.plan.anew or self._any("staged_feature_rows WHERE unsure"))
        new = "SELECT subject, $values FROM staged_feature_rows" if is_sure else _ANEW.replace("$anew", str(self.plan.anew))
        new = new.replace("$as_of", as_of).replace("$values", values).replace("$nulls", nulls)
        self.lake.run(f"CREATE OR REPLACE TEMP TABLE run_features AS {new}")
        self.lake.delete("feature_rows", ("subject", "as_of"), f"SELECT subject, {as_of} AS as_of FROM run_features")
        self._insert("feature_rows", f"SELECT *, {as_of} AS as_of, {self._stamp} FROM run_features")

    def _sessions(self) -> None:
        """The sessions of whom the run has looked at: what is as it was stays, what is not is replaced or goes."""
        if not (self.plan.anew or self.counts["visitors"]):
            return
        scope = "" if self.plan.anew else _TOLD_ANEW
        self.lake.run(_SESSIONS)
        gone = f"SELECT * EXCLUDE run_id FROM sessions {scope} EXCEPT FROM run_sessions"
        self.lake.run(f"CREATE OR REPLACE TEMP TABLE run_sessions_gone AS SELECT session_id FROM ({gone})")
        self.lake.delete("sessions", ("session_id",), "FROM run_sessions_gone")
        stays = "FROM sessions ANTI JOIN run_sessions_gone USING (session_id)"
        self._insert("sessions", f"SELECT *, {self._stamp} FROM run_sessions ANTI JOIN ({stays}) USING (session_id)")

    def _lifecycles(self) -> None:
        """The numbers at T; those of another run at the same T, and of later ones where T goes back, are its no more."""
        as_of = instant(self.plan.t_at)
        if self.parent is not None and self.parent.t_at >= self.plan.t_at:
            later = f"SELECT DISTINCT as_of FROM lifecycle_transitions WHERE as_of >= {as_of}"
            self.lake.delete("lifecycle_transitions", ("as_of",), later)
        if not self.counts["lifecycles"]:
            return
        pairs = "lifecycle, purpose, from_state, to_state"
        counted = f"SELECT {pairs}, sum(subjects) AS subjects FROM staged_lifecycles GROUP BY ALL"
        self._insert("lifecycle_transitions", f"SELECT *, {as_of} AS as_of, {self._stamp} FROM ({counted})")

    def _counts(self) -> None:
        sums = "sum(events) AS events, sum(subjects) AS subjects"
        grouped = "FROM staged_verdicts GROUP BY purpose, reason"
        self._insert("consent_verdicts", f"SELECT {self._stamp}, purpose, reason, {sums} {grouped}")

    def _versions(self) -> None:
        if self._stands:
            return
        ended = "FROM segment_versions ANTI JOIN run_versions USING (segment, version) WHERE current"
        self.lake.assign(
            "segment_versions", "current", ("segment", "version"), f"SELECT segment, version, false AS current {ended}"
        )
        self._insert(
            "segment_versions",
            f"SELECT *, {quoted(self.plan.run_id)} AS from_run, true AS current "
            "FROM run_versions ANTI JOIN segment_versions USING (segment, version)",
        )
        taken_up = "FROM backfill_pieces p JOIN run_versions v ON p.segment = v.segment AND p.version <= v.version"
        self.lake.delete("backfill_pieces", ("segment", "version"), f"SELECT DISTINCT p.segment, p.version {taken_up}")

    def _states(self) -> None:
        """Point to the layer of a shard's state that is new; the others stay, at the new positions."""
        layers = pointed(self.lake, self.plan, self.states)
        self.lake.clear("kernel_state")
        self._insert("kernel_state", f"SELECT * FROM {layers}")

    def _let_go(self) -> None:
        self.gone = let_go(self.lake, self.plan, self.parent, reads=bool(self.counts["events"]))

    def _manifest(self) -> None:
        plan, clock = self.plan, int(time.time() * 1_000_000)
        sums = ", ".join(f"coalesce(sum({named(name)}), 0) AS {named(name)}" for name in ("read", *FATES, *BESIDE))
        positions = {"before": plan.positions_before, "after": plan.positions_after}
        meant = {"read_as": plan.read_as, "features": plan.feature_meanings, "composition": plan.composition}
        gone = {"gone": self.gone._asdict()} if self.gone.before_at > BEGINNING else {}
        inputs = canonical({**positions, **meant, **gone, "undeclared": plan.undeclared, "written_at": plan.written_at})
        self._insert(
            "run_manifest",
            f"SELECT {self._stamp}, {instant(plan.started_at)} AS started_at, {instant(plan.t_at)} AS t, "
            f"{instant(self.plan.known_at)} AS k, {instant(plan.t_at)} AS watermark, {quoted(plan.definitions)} AS definitions, "
            f"{quoted(inputs)} AS inputs, {plan.shards} AS shards, {sums} FROM staged_fates",
        )
        parent = quoted(plan.parent) if plan.parent else "CAST(NULL AS VARCHAR)"
        self._insert(
            "run_commits", f"SELECT {self._stamp}, {parent} AS parent_run_id, {instant(clock)} AS committed_at"
        )
