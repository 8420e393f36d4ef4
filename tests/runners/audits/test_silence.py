"""A source of consents that is silent for longer than its budget stops the run before anything is published."""

import pytest

from runners.publishing.publish import publish
from runners.warehouses.lake import Lake
from schemas.errors import GateClosed
from tests.support.staged_runs import DAY, at, consent, event, first_run, plan_of, stage


def test_silence_of_exactly_the_budget_is_allowed(lake: Lake) -> None:
    assert publish(lake, first_run(lake, silence_budgets={"ledger": 2 * DAY})).status == "published"


def test_a_microsecond_more_closes_the_gate_and_publishes_nothing(lake: Lake) -> None:
    with pytest.raises(GateClosed, match=r"`ledger` are silent for 48\.0 h") as closed:
        publish(lake, first_run(lake, silence_budgets={"ledger": 2 * DAY - 1}))
    assert closed.value.exit_code == 4
    assert lake.value("SELECT count(*) FROM events") == 0
    assert lake.value("SELECT count(*) FROM run_commits") == 0


def test_a_source_that_has_never_spoken_closes_the_gate(lake: Lake) -> None:
    with pytest.raises(GateClosed, match="never said anything"):
        publish(lake, first_run(lake, silence_budgets={"another": 400 * DAY}))


def test_what_was_published_before_speaks_too_until_it_is_too_old(lake: Lake) -> None:
    publish(lake, first_run(lake))
    later = plan_of(lake, 20, known_at=at(12), silence_budgets={"ledger": 5 * DAY})
    stage(later, "events", [event("ann", "9", 12)])
    stage(later, "fates", [{"read": 1, "used": 1}])
    with pytest.raises(GateClosed):
        publish(lake, later)
    stage(later, "consents", [consent("bob", "WITHDRAW", 8)])
    stage(later, "fates", [{"read": 2, "used": 2}])
    assert publish(lake, later).status == "published"
