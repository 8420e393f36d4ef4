"""Stage, audit, publish: all tables of a run flip together, or none does, and a run that is there changes nothing."""

from collections.abc import Callable
from itertools import count

from runners.audits.auditing import audit, check_schemas
from runners.audits.finding import Checked
from runners.audits.silence import see_that_consents_speak
from runners.publishing.letting_go import goes_any
from runners.publishing.placing import place_facts
from runners.publishing.record import prepare_record
from runners.publishing.staging import Staging, give_up, show, staging
from runners.publishing.writing import Writing
from runners.runs.run_plan import Published, RunPlan
from runners.warehouses.lake import Lake, quoted
from runners.warehouses.published import LastRun, last_run, overtaken
from runners.warehouses.read import is_any_unseen
from schemas.kinds import KINDS
from transforms.faults import reach


def _silent(stage: str, rows: int, share: float) -> None:
    """Nobody wants to know."""


def publish(lake: Lake, plan: RunPlan, tell: Callable[[str, int, float], None] = _silent) -> Published:
    """Audit what is staged and commit it in one transaction; the caller holds the warehouse's lock.

    A run that was published before is left alone and answered again; staging may be gone by then. `tell` is told of
    the stages `audit` and `publish`, and how many rows are staged.

    Errors: GateClosed and AuditFailed, nothing is published; JobFailed where the
    disk is full; TryAgain where the catalog stays busy or another run was published since the plan was made.
    """
    reach("staged")
    staged = staging(plan)
    check_schemas(staged)
    with lake.snapshot():
        show(lake, staged)
        last = last_run(lake)
        settled = _settled(lake, plan, staged, last)
        checks: tuple[Checked, ...] = ()
        if settled is None:
            tell("audit", staged.rows, 0)
            checks = _examine(lake, plan, staged, last)
            reach("audited")
    published = settled or _commit(lake, plan, staged, last, tell)._replace(checks=checks)
    reach("after_commit")
    give_up(plan.staging)
    return published


def _settled(lake: Lake, plan: RunPlan, staged: Staging, last: LastRun | None) -> Published | None:
    """The answer where there is nothing to publish, any more or at all.

    What builds on the last run was not published before: its K is later than that of any.
    """
    if (last.run_id if last else "") != plan.parent:
        if _is_committed(lake, plan.run_id):
            return Published("already", plan.run_id, plan.known_at, {})
        raise overtaken()
    if last is not None and _is_nothing_new(lake, plan, staged, last):
        return Published("unchanged", last.run_id, last.known_at, {})
    return None


def _examine(lake: Lake, plan: RunPlan, staged: Staging, parent: LastRun | None) -> tuple[Checked, ...]:
    """See that the run may be published; gives what each check saw. Errors: GateClosed, AuditFailed."""
    see_that_consents_speak(lake, plan)
    prepare_record(lake, plan, parent)
    return audit(lake, plan, staged, None if parent is None else parent.t_at)


def _commit(
    lake: Lake, plan: RunPlan, staged: Staging, parent: LastRun | None, tell: Callable[[str, int, float], None]
) -> Published:
    tell("publish", staged.rows, 0)
    states, adopted = lake.states.take(staged.states, plan.run_id), place_facts(lake, staged, plan.run_id)
    writing = Writing(lake, plan, staged.counts, parent, states, adopted)
    reach("before_commit")
    tries = count()

    def write() -> None:
        if not (next(tries) and _is_committed(lake, plan.run_id)):  # a commit whose answer was lost may have been carried out
            writing.write()
            reach("inside_commit")

    lake.commit(write, f"run at {plan.t_at}", plan.run_id, plan.parent)
    rows, gone = dict(writing.rows), writing.gone
    return Published("published", plan.run_id, plan.known_at, rows, went=gone.went, leaves_some=gone.leaves_some)


def _is_committed(lake: Lake, run_id: str) -> bool:
    return bool(lake.value(f"SELECT EXISTS (FROM run_commits WHERE run_id = {quoted(run_id)})"))


def _is_nothing_new(lake: Lake, plan: RunPlan, staged: Staging, parent: LastRun) -> bool:
    """No record was read or comes in sight, the definitions are the same, no transition is due, nothing goes (2.4).

    Features that only time has moved wait for the next run that has something to say.
    """
    if plan.anew or parent.definitions != plan.definitions:
        return False
    if dict(plan.positions_before) != dict(plan.positions_after) or is_any_unseen(lake, parent):
        return False
    if parent.leaves_some or goes_any(lake, parent, plan.gone_before_at):
        return False
    tables = ("transitions", "closings", "changes", *KINDS, "quarantine", *(("feature_rows",) if plan.ends_day else ()))
    return not any(staged.counts[table] for table in tables)
