"""Stage, audit, publish: all tables of a run flip together, or none does, and a run that is there changes nothing."""

import shutil
from collections.abc import Callable

import pyarrow.parquet as pq

from runners.audits import audit, check_schemas
from runners.placing import place_facts, place_states
from runners.record import prepare_record
from runners.run_plan import Published, RunPlan
from runners.silence import see_that_consents_speak
from runners.staging import Staging, show, staging
from runners.warehouses.ducklake import Lake, instant, quoted
from runners.warehouses.read import DATED, LastRun, is_any_unseen, last_run, run_of
from runners.writing import Writing
from schemas.definitions.instant import write_instant
from schemas.errors import CallError, TryAgain
from transforms.faults import reach


def _silent(stage: str, rows: int, share: float) -> None:
    """Nobody wants to know."""


def publish(lake: Lake, plan: RunPlan, tell: Callable[[str, int, float], None] = _silent) -> Published:
    """Audit what is staged and commit it in one transaction; the caller holds the warehouse's lock.

    A run that was published before is left alone and answered again; staging may be gone by then. `tell` is told of
    the stages `audit` and `publish`, and how many rows are staged.

    Errors: GateClosed and AuditFailed, nothing is published; CallError where K lies below what has been read; JobFailed where the
    disk is full; TryAgain where the catalog stays busy or another run was published since the plan was made.
    """
    reach("staged")
    staged = staging(plan)
    check_schemas(staged)
    with lake.snapshot():
        show(lake, staged)
        parent = run_of(lake, plan.parent) if plan.parent else None
        known_at = _known_at(lake, plan, parent)
        run_id = plan.run_id(known_at)
        settled = _settled(lake, plan, parent, run_id, known_at)
        if settled is None:
            tell("audit", staged.rows, 0)
            _examine(lake, plan, staged, parent, known_at)
    published = settled or _commit(lake, plan, staged, run_id, known_at, tell)
    reach("after_commit")
    shutil.rmtree(plan.staging, ignore_errors=True)
    return published


def seen_too_soon(lake: Lake, plan: RunPlan) -> int | None:
    """K, where a fact received later, and dated after T, has told of instants before it: they are to be computed without it."""
    files = sorted((plan.staging / "foresight").glob("*.parquet"))
    if not files:
        return None
    newest = max(pq.read_table(file)["received_at"][0].as_py() for file in files)
    with lake.snapshot():
        show(lake, staging(plan))
        known_at = _known_at(lake, plan, run_of(lake, plan.parent) if plan.parent else None)
    return known_at if known_at < newest else None


def _settled(lake: Lake, plan: RunPlan, parent: LastRun | None, run_id: str, known_at: int) -> Published | None:
    """The answer where there is nothing to publish, any more or at all."""
    if _is_committed(lake, run_id):
        return Published("already", run_id, known_at, {})
    _see_parent(lake, plan)
    if parent is not None and _is_nothing_new(lake, plan, parent):
        return Published("unchanged", parent.run_id, parent.known_at, {})
    return None


def _examine(lake: Lake, plan: RunPlan, staged: Staging, parent: LastRun | None, known_at: int) -> None:
    """See that the run may be published. Errors: GateClosed, AuditFailed."""
    see_that_consents_speak(lake, plan, known_at)
    horizon_at = None if parent is None else parent.t_at
    prepare_record(lake, plan, horizon_at)
    audit(lake, plan, staged, horizon_at)


def _commit(
    lake: Lake,
    plan: RunPlan,
    staged: Staging,
    run_id: str,
    known_at: int,
    tell: Callable[[str, int, float], None],
) -> Published:
    tell("publish", staged.rows, 0)
    states, adopted = place_states(lake, staged, run_id), place_facts(lake, staged, run_id)
    writing = Writing(lake, plan, run_id, known_at, states, adopted)
    reach("before_commit")

    def write() -> None:
        if not _is_committed(lake, run_id):  # a commit whose answer was lost may have been carried out
            writing.write()
            reach("inside_commit")

    lake.commit(write, f"run at {plan.t_at}", run_id)
    return Published("published", run_id, known_at, dict(writing.rows))


def _is_committed(lake: Lake, run_id: str) -> bool:
    return bool(lake.value(f"SELECT EXISTS (FROM run_commits WHERE run_id = {quoted(run_id)})"))


def _see_parent(lake: Lake, plan: RunPlan) -> None:
    last = last_run(lake)
    if (last.run_id if last else "") != plan.parent:
        raise TryAgain(
            "SEG-0607", "another run was published since this one started", "run again: it builds on that one"
        )


def _known_at(lake: Lake, plan: RunPlan, parent: LastRun | None) -> int:
    """K: the largest receipt among the facts dated up to T, never below the parent's, and later than that (2.4).

    Before the first fact it is T.
    """
    least = -(2**63) if parent is None else parent.known_at
    found = _newest_receipt(lake, plan, parent)
    read = max(least, least if found is None else found)
    if plan.known_at is not None:
        if parent is not None and plan.known_at < read:
            raise k_below(plan.known_at, read)
        read = plan.known_at
    elif parent is None and found is None:
        return plan.t_at
    return read + 1 if parent is not None and read == parent.known_at else read


def k_below(known_at: int, read: int) -> CallError:
    """The refusal of a K below what has been read."""
    message = f"K = {write_instant(known_at)} lies below what has been read, up to {write_instant(read)}"
    return CallError("SEG-0904", message, "ask for a later one, or leave --known-at out")


def _newest_receipt(lake: Lake, plan: RunPlan, parent: LastRun | None) -> int | None:
    """The largest receipt of the facts dated up to T that is over the parent's K: files that end before it are not read."""
    later = "true" if parent is None else f"received_at > {instant(parent.known_at)}"
    dated = [
        f"SELECT max(epoch_us(received_at)) AS k FROM {table} WHERE {later} AND {column} <= {instant(plan.t_at)}"
        for name, column in DATED.items()
        for table in ((f"staged_{name}",) if plan.full_refresh else (name, f"staged_{name}"))
    ]
    found = lake.value(f"SELECT max(k) FROM ({' UNION ALL '.join(dated)})")
    return None if found is None else int(found)


def _is_nothing_new(lake: Lake, plan: RunPlan, parent: LastRun) -> bool:
    """No record was read or comes in sight, the definitions are the same, no transition is due: nothing to publish (2.4).

    Features that only time has moved wait for the next run that has something to say.
    """
    if plan.anew or parent.definitions != plan.definitions:
        return False
    if dict(plan.positions_before) != dict(plan.positions_after) or is_any_unseen(lake, parent):
        return False
    tables = ("transitions", "closings", "changes", "events", "profiles", "consents", "quarantine")
    return not any(lake.value(f"SELECT EXISTS (FROM staged_{table})") for table in tables)
