"""Each rule of the audit is broken by some staged run, and only by such a one."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runners.publishing.publish import publish
from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import Lake
from runners.warehouses.tables import TABLES
from schemas.errors import AuditFailed
from tests.support.staged_runs import at, consent, event, first_run, plan_of, stage

VIP = {"segment": "vip", "version": 1}
ENTRY = {"kind": "entered", "member": True, "reason": "event"}


def _turn(subject: str, day: float, member: bool, **more: object) -> dict[str, object]:
    return {**VIP, "subject": subject, "at": at(day), "member": member, "purpose": "push", **more}


def _change(subject: str, day: float, **more: object) -> dict[str, object]:
    return {**VIP, "subject": subject, "effective_at": at(day), **ENTRY, **more}


def _twice(plan: RunPlan) -> None:
    stage(plan, "events", [event("cy", "1", 11), event("cy", "1", 12)])


def _published_already(plan: RunPlan) -> None:
    stage(plan, "events", [event("ann", "1", 1)])


def _no_subject(plan: RunPlan) -> None:
    stage(plan, "consents", [{**consent("cy", "GRANT", 1), "subject": None}])


def _no_fate(plan: RunPlan) -> None:
    stage(plan, "fates", [{"read": 3, "used": 1, "late": 1}])


def _not_in_quarantine(plan: RunPlan) -> None:
    stage(plan, "fates", [{"read": 1, "quarantined": 1}])


def _uneven_verdicts(plan: RunPlan) -> None:
    stage(
        plan,
        "verdicts",
        [{"purpose": name, "reason": "DENIED", "events": n, "subjects": 1} for n, name in enumerate("ab")],
    )


def _more_in_phases(plan: RunPlan) -> None:
    _phases(plan, "push", 2)


def _phases(plan: RunPlan, purpose: str, subjects: int) -> None:
    """Two new and so many lost by a lifecycle; the verdicts allow three, and refuse one."""
    allowed = [("ALLOW_consent", 2), ("ALLOW_legitimate_interest", 1), ("DENIED", 1)]
    stage(plan, "verdicts", [{"purpose": "push", "reason": why, "events": 0, "subjects": n} for why, n in allowed])
    counted = [("never", "new", 2), ("dormant", "lost", subjects)]
    row = {"lifecycle": "lifecycle order", "purpose": purpose}
    stage(plan, "lifecycles", [{**row, "from_state": before, "to_state": now, "subjects": n} for before, now, n in counted])


def _after_t(plan: RunPlan) -> None:
    stage(plan, "transitions", [_turn("cy", 21, True)])
    stage(plan, "changes", [_change("cy", 21)])


def _flip_in_the_past(plan: RunPlan) -> None:
    stage(plan, "upcoming", [{**VIP, "subject": "ann", "next_transition_at": at(20)}])


def _later_session(plan: RunPlan) -> None:
    first = {"first_source": "orders", "first_subject": "cy", "first_event_id": "1"}
    stage(plan, "sessions", [{"subject": "cy", "purpose": "push", "gap": "30m", "started_at": at(21), **first}])


def _other_version(plan: RunPlan) -> None:
    stage(plan, "transitions", [_turn("cy", 15, True, version=2)])
    stage(plan, "changes", [_change("cy", 15, version=2)])


def _closes_nothing(plan: RunPlan) -> None:
    stage(plan, "closings", [{**VIP, "subject": "ann", "at": at(2)}])


def _enters_twice(plan: RunPlan) -> None:
    stage(plan, "transitions", [_turn("ann", 15, True)])
    stage(plan, "changes", [_change("ann", 15)])


def _begins_by_leaving(plan: RunPlan) -> None:
    stage(plan, "transitions", [_turn("cy", 15, False)])
    stage(plan, "changes", [_change("cy", 15, kind="exited", member=False)])


def _half_a_closing(plan: RunPlan) -> None:
    stage(plan, "closings", [{**VIP, "subject": "bob", "at": at(2)}])


def _untold(plan: RunPlan) -> None:
    stage(plan, "transitions", [_turn("cy", 15, True)])


def _told_only(plan: RunPlan) -> None:
    stage(plan, "changes", [_change("cy", 15)])


def _two_feature_rows(plan: RunPlan) -> None:
    stage(plan, "feature_rows", [{"subject": "ann"}, {"subject": "ann"}])


def _cut_short(plan: RunPlan) -> None:
    path = stage(plan, "events", [event("cy", "1", 11)])
    path.write_bytes(path.read_bytes()[:-20])


def _other_columns(plan: RunPlan) -> None:
    path = stage(plan, "events", [event("cy", "1", 11)])
    pq.write_table(pq.read_table(path).drop_columns(["amount"]), path)


def _other_type(plan: RunPlan) -> None:
    path = stage(plan, "fates", [{"read": 0}])
    found = pq.read_table(path)
    pq.write_table(found.set_column(0, "read", found["read"].cast(pa.int32())), path)


CASES: dict[str, Callable[[RunPlan], None]] = {
    "events: unique key": _twice,
    "events: not published yet": _published_already,
    "consents: key present": _no_subject,
    "fates: every record has one": _no_fate,
    "fates: what was set aside is in quarantine": _not_in_quarantine,
    "verdicts: the same sums for every purpose": _uneven_verdicts,
    "lifecycles: everybody whose purpose is open is in one phase": _more_in_phases,
    "transitions: on its side of T": _after_t,
    "upcoming: on its side of T": _flip_in_the_past,
    "sessions: on its side of T": _later_session,
    "transitions: versions of this run": _other_version,
    "closings: of the record": _closes_nothing,
    "transitions: alternate": _enters_twice,
    "transitions: alternate ": _begins_by_leaving,
    "transitions: alternate  ": _half_a_closing,
    "changes: one for each transition": _untold,
    "changes: one for each transition ": _told_only,
    "feature_rows: unique key": _two_feature_rows,
    "events: files": _cut_short,
    "events: columns": _other_columns,
    "fates: columns": _other_type,
}


@pytest.mark.parametrize("check", CASES)
def test_a_broken_rule_is_named_and_nothing_is_published(lake: Lake, check: str) -> None:
    publish(lake, first_run(lake))
    before = [lake.value(f"SELECT count(*) FROM {table.name}") for table in TABLES]
    plan = plan_of(lake, 20)
    CASES[check](plan)
    with pytest.raises(AuditFailed) as caught:
        publish(lake, plan)
    assert f"\n  {check.strip()}: " in str(caught.value)
    assert [lake.value(f"SELECT count(*) FROM {table.name}") for table in TABLES] == before


@pytest.mark.parametrize(("purpose", "subjects"), [("push", 1), ("push+email", 0)])
def test_phases_add_up_to_the_subjects_whose_one_purpose_is_open(lake: Lake, purpose: str, subjects: int) -> None:
    publish(lake, first_run(lake))
    plan = plan_of(lake, 20)
    stage(plan, "fates", [{"read": 1, "used": 1}])
    _phases(plan, purpose, subjects)
    assert publish(lake, plan).status == "published"


def test_a_message_names_places_and_never_a_subject(lake: Lake) -> None:
    plan = plan_of(lake, 20)
    stage(plan, "events", [event("secret-person", "1", 11), event("secret-person", "1", 12)], shard=3)
    with pytest.raises(AuditFailed) as caught:
        publish(lake, plan)
    assert "events/0003.parquet row 1" in str(caught.value)
    assert "secret-person" not in str(caught.value)
