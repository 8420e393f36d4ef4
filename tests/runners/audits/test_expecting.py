"""What the user expects of a staged run is held against it before anything is published."""

import dataclasses
from typing import Any

import pyarrow as pa
import pytest

from runners.audits.expectations import Expectations, FeatureExpectation, Related, SourceExpectation
from runners.publishing.publish import publish
from runners.runs.run_plan import RunPlan, SegmentVersion
from runners.warehouses.lake import Lake
from schemas.definitions.comparison import Comparison
from schemas.errors import AuditFailed
from tests.support.staged_runs import DAY, enter, event, first_run, plan_of, stage


def _segment(measure: str, text: str) -> Expectations:
    return Expectations(segments={"vip": {measure: Comparison.parse(text)}})


@pytest.mark.parametrize(
    ("measure", "text", "said"),
    [
        ("size", ">= 2", "it is 1, expected >= 2"),
        ("size", "IN (2, 3)", "it is 1, expected = 2 or = 3"),
        ("size", "not (= 1)", "it is 1, expected not (= 1)"),
        ("share", "between 0.6 and 0.9", "it is 0.5, expected >= 0.6 and <= 0.9"),
    ],
)
def test_a_segment_that_is_not_as_expected_fails_with_both_numbers(
    lake: Lake, measure: str, text: str, said: str
) -> None:
    plan = first_run(lake, expectations=_segment(measure, text))
    with pytest.raises(AuditFailed) as caught:
        publish(lake, plan)
    assert f"segment `vip`: {measure}: 1 row(s): {said}" in str(caught.value)


@pytest.mark.parametrize(("measure", "text"), [("size", "= 1"), ("share", "between 0.01 and 0.5"), ("change", "<= 0%")])
def test_a_segment_that_is_as_expected_is_published(lake: Lake, measure: str, text: str) -> None:
    assert publish(lake, first_run(lake, expectations=_segment(measure, text))).status == "published"


def test_change_is_against_the_last_run(lake: Lake) -> None:
    publish(lake, first_run(lake))
    plan = plan_of(lake, 20, expectations=_segment("change", "between -30% and 50%"))
    key = {"segment": "vip", "version": 1, "subject": "cy"}
    stage(plan, "transitions", [{**key, "at": plan.t_at, "member": True, "purpose": "push"}])
    stage(plan, "changes", [{**key, "kind": "entered", "effective_at": plan.t_at, "member": True, "reason": "event"}])
    with pytest.raises(AuditFailed, match="it is 100%, expected >= -30% and <= 50%"):
        publish(lake, plan)


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        (FeatureExpectation(not_null=True), "the value is null"),
        (FeatureExpectation(between=(0, 100)), "the value is not between 0 and 100"),
        (FeatureExpectation(allowed=(9, 10)), "the value is not among those that are expected"),
    ],
)
def test_a_feature_value_that_is_not_as_expected_is_placed(lake: Lake, expected: FeatureExpectation, why: str) -> None:
    column = "purchases__spend_7d"
    plan = first_run(lake, expectations=Expectations(features={column: expected}))
    stage(
        plan, "feature_rows", [{"subject": s, column: v} for s, v in [("ann", "9.00"), ("bob", None), ("cy", "100.01")]]
    )
    with pytest.raises(AuditFailed) as caught:
        publish(lake, plan)
    row = 1 if expected.not_null else 2
    assert f"feature `{column}`: 1 row(s) (feature_rows/0000.parquet row {row}): {why}" in str(caught.value)


def test_a_source_that_sets_too_much_aside_fails(lake: Lake) -> None:
    said = SourceExpectation(quarantined=Comparison.parse("<= 1%"))
    plan = plan_of(lake, 10, expectations=Expectations(sources={"orders": said}))
    stage(plan, "events", [event("ann", "1", 1)])
    stage(plan, "quarantine", [{"source": "orders", "position": "a", "reason": "malformed", "raw": b"x"}])
    stage(plan, "fates", [{"read": 2, "used": 1, "quarantined": 1}])
    with pytest.raises(AuditFailed, match=r"source `orders`: quarantined: .* it is 50%, expected <= 1%"):
        publish(lake, plan)


def test_a_source_whose_newest_record_is_too_old_fails(lake: Lake) -> None:
    said = SourceExpectation(freshness_us=2 * DAY)
    plan = first_run(lake, expectations=Expectations(sources={"orders": said}))
    with pytest.raises(AuditFailed, match=r"days since its newest record: .* it is 8, expected <= 2"):
        publish(lake, plan)
    fresh = dataclasses.replace(
        first_run(lake), expectations=Expectations(sources={"orders": SourceExpectation(8 * DAY)})
    )
    assert publish(lake, fresh).status == "published"


def _of_orders(**said: Any) -> Expectations:
    return Expectations(sources={"orders": SourceExpectation(**said)})


def _second(lake: Lake, expected: Expectations, *events: dict[str, Any]) -> RunPlan:
    """A run on top of the first, in which Ann and Bob have an event each."""
    publish(lake, first_run(lake))
    plan = plan_of(lake, 20, expectations=expected)
    stage(plan, "events", events)
    stage(plan, "fates", [{"read": len(events), "used": len(events)}])
    return plan


@pytest.mark.parametrize(
    ("events", "broken"),
    [
        ([event("cy", "8", 11, amount="1.00"), event("dan", "9", 12, amount="2.00")], 0),
        ([event("cy", "8", 11, amount="1.00"), event("dan", "9", 12, amount="1.00")], 2),
        ([event("cy", "8", 11, amount="9.50")], 1),
        ([event("cy", "8", 11, amount=None), event("dan", "9", 12, amount=None)], 0),
        ([event("ann", "1", 1, received=0.5, replaces=True, amount="8.00")], 0),
    ],
)
def test_new_records_repeat_nothing_that_is_new_or_stored(lake: Lake, events: list[dict[str, Any]], broken: int) -> None:
    """Ann and Bob have paid the same already, which was before anybody expected otherwise; what is null repeats nothing."""
    plan = _second(lake, _of_orders(unique=("amount",)), *events)
    if not broken:
        assert publish(lake, plan).status == "published"
        return
    with pytest.raises(AuditFailed, match=rf"source `orders`: unique amount: {broken} row\(s\) \(events/0000"):
        publish(lake, plan)


def test_what_is_unique_together_may_repeat_alone(lake: Lake) -> None:
    twice = [event("ann", "8", 11, amount="1.00"), event("ann", "9", 12, amount="2.00")]
    assert publish(lake, _second(lake, _of_orders(unique=("subject", "amount")), *twice)).status == "published"


def test_a_profile_repeats_what_another_subject_has_said(lake: Lake) -> None:
    said = SourceExpectation(unique=("country",), kind="profiles")
    plan = plan_of(lake, 10, expectations=Expectations(sources={"people": said}))
    of = {"source": "people", "received_at": plan.t_at, "record_hash": b"h", "replaces": False, "country": "DE"}
    rows = [{**of, "subject": who, "position": f"{who}{day}", "valid_from": day} for who, day in (("ann", 1), ("ann", 2))]
    stage(plan, "profiles", rows)
    stage(plan, "fates", [{"read": 2, "used": 2}])
    assert publish(lake, plan).status == "published"
    plan = plan_of(lake, 20, expectations=plan.expectations)
    stage(plan, "profiles", [{**of, "subject": "bob", "position": "bob", "valid_from": 3}])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    with pytest.raises(AuditFailed, match="source `people`: unique country: 1 row"):
        publish(lake, plan)


def _related(to: str, orphans: str = "= 0%", keys: pa.Table | None = None) -> Expectations:
    source, _, target = to.partition(".")
    one = Related("subject", to, source, target, "consents", Comparison.parse(orphans), keys)
    return _of_orders(related=(one,))


@pytest.mark.parametrize(("orphans", "is_met"), [("= 0%", False), ("<= 40%", False), ("<= 50%", True)])
def test_the_share_of_records_whose_value_another_source_lacks(lake: Lake, orphans: str, is_met: bool) -> None:
    """Bob is in the ledger since the first run, Cy is not; of what was stored before nothing is asked."""
    plan = _second(lake, _related("ledger.subject", orphans), event("bob", "8", 11), event("cy", "9", 12))
    if is_met:
        assert publish(lake, plan).status == "published"
        return
    with pytest.raises(AuditFailed, match=r"source `orders`: subject not in ledger\.subject: 1 row\(s\) .*: it is 50%"):
        publish(lake, plan)


@pytest.mark.parametrize(("key", "is_met"), [("cy", True), ("ann", False)])
def test_a_value_is_among_the_keys_of_a_lookup(lake: Lake, key: str, is_met: bool) -> None:
    keys = pa.table({"key": [key]})
    plan = _second(lake, _related("people.id", keys=keys), event("cy", "9", 12))
    if is_met:
        assert publish(lake, plan).status == "published"
        return
    with pytest.raises(AuditFailed, match=r"subject not in people\.id"):
        publish(lake, plan)


def test_the_share_of_a_segment_within_another_is_of_its_members(lake: Lake) -> None:
    within = {"vip": {"share": Comparison.parse("= 100%")}}
    versions = {"vip": SegmentVersion(1, "m1"), "all": SegmentVersion(1, "m2")}
    expected = Expectations(segments=within, populations={"vip": "all"})
    plan = first_run(lake, versions=versions, expectations=expected)
    enter(plan, [("ann", 1, True)], segment="all", shard=1)
    published = publish(lake, plan)
    assert [(one.check, one.figure) for one in published.checks][-1] == ("segment `vip`: share", "100%")
