"""The published runs, as the manifest of the warehouse has them, and the versions of segments that they began."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from runners.runs.run_plan import RunPlan, SegmentVersion
from runners.warehouses.lake import Lake, instant, quoted
from schemas.errors import CallError, TryAgain
from transforms.algebra.order import BEGINNING, FOREVER


class LastRun(NamedTuple):
    """The last published run. Instants are int64 microseconds UTC; at `written_at` feature rows were written last."""

    run_id: str
    t_at: int
    known_at: int
    definitions: str
    positions: Mapping[str, Any]
    written_at: int
    shards: int
    read_as: Mapping[str, Mapping[str, str]]
    features: Mapping[str, str]
    composition: Mapping[str, Any]
    gone_before_at: int = BEGINNING
    horizon_at: int = BEGINNING
    leaves_some: bool = False

    @classmethod
    def of(cls, plan: RunPlan, leaves_some: bool = False) -> "LastRun":
        """What a plan is once it is published, and whether the run has left some that is to go."""
        pins = (plan.run_id, plan.t_at, plan.known_at, plan.definitions, plan.positions_after, plan.written_at, plan.shards)
        kept = (plan.gone_before_at, plan.horizon_at, leaves_some)
        return cls(*pins, plan.read_as, plan.feature_meanings, plan.composition, *kept)


_RUN = "SELECT run_id, epoch_us(t), epoch_us(k), definitions, inputs, shards FROM run_manifest"


def last_run(lake: Lake) -> LastRun | None:
    """The last published run, None before the first."""
    found = lake.rows(f"{_RUN} ORDER BY k DESC LIMIT 1")
    return _read(found[0]) if found else None


def run_of(lake: Lake, run_id: str) -> LastRun:
    """A published run, as it was when it was the last."""
    (found,) = lake.rows(f"{_RUN} WHERE run_id = {quoted(run_id)}")
    return _read(found)


def see_that_is_last(lake: Lake, run_id: str) -> None:
    """See that a run is the last that was published. Errors: TryAgain."""
    with lake.snapshot():
        last = last_run(lake)
    if last is None or last.run_id != run_id:
        raise overtaken()


def overtaken() -> TryAgain:
    """What is told a run that builds on one that is not the last any more."""
    return TryAgain("SEG-0607", "another run was published since this one started", "run again: it builds on that one")


def published(lake: Lake) -> LastRun:
    """The last published run. Errors: CallError before the first."""
    last = last_run(lake)
    if last is None:
        raise CallError("SEG-0601", "nothing was published yet", "`segue run` does")
    return last


def _read(row: tuple[Any, ...]) -> LastRun:
    run_id, t_at, known_at, definitions, inputs, shards = row
    said = json.loads(inputs)
    read_as, features, composition = (said.get(name, {}) for name in ("read_as", "features", "composition"))
    written_at = said.get("written_at", t_at)  # earlier versions did not note it
    gone: Mapping[str, Any] = said.get("gone", {})
    kept = (gone.get("before_at", BEGINNING), gone.get("horizon_at", BEGINNING), gone.get("leaves_some", False))
    pins = (run_id, t_at, known_at, definitions, said["after"], written_at, shards)
    return LastRun(*pins, read_as, features, composition, *kept)


def runs(lake: Lake) -> pa.Table:
    """The published runs, oldest first: when, T, K, status, what was read and used, seconds."""
    return lake.arrow(
        "SELECT m.run_id, m.started_at, m.t, m.k, 'published' AS status, m.read, m.quarantined, m.duplicate, m.used, "
        "round((epoch_us(c.committed_at) - epoch_us(m.started_at)) / 1e6, 3) AS seconds, m.definitions "
        "FROM run_manifest m JOIN run_commits c USING (run_id) ORDER BY m.k"
    )


def versions(lake: Lake) -> dict[str, list[tuple[SegmentVersion, bool]]]:
    """For each segment its versions, and which is the current one, rising."""
    found: dict[str, list[tuple[SegmentVersion, bool]]] = {}
    for segment, version, meaning, current in lake.rows(
        "SELECT segment, version, meaning, current FROM segment_versions ORDER BY segment, version"
    ):
        found.setdefault(segment, []).append((SegmentVersion(version, meaning), current))
    return found


def told_since(lake: Lake, segment: str, known_at: int) -> int:
    """Since when the record tells by K who was a member: from the horizon at which any version began; FOREVER where none has."""
    begun = f"run_id IN (SELECT from_run FROM segment_versions WHERE segment = {quoted(segment)})"
    found = lake.rows(f"{_RUN} WHERE {begun} AND k <= {instant(known_at)}")
    return min((_read(row).horizon_at for row in found), default=FOREVER)
