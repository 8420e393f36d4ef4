"""What the user expects of a staged run is held against it before anything is published."""

import dataclasses

import pytest

from runners.expectations import Expectations, FeatureExpectation, SourceExpectation
from runners.publish import publish
from runners.warehouses.lake import Lake
from schemas.definitions.comparison import Comparison
from schemas.errors import AuditFailed
from tests.support.staged_runs import DAY, event, first_run, plan_of, stage


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
