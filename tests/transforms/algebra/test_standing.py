from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.support.consent_rows import consents, minutes, profiles, project, row
from tests.support.consent_rows import purpose as registered
from transforms.algebra.epochs import Grounds
from transforms.algebra.standing import CONSENT, INTEREST, State, state_at

LIFT = row("UNOBJECT", 70, method="interactive", actor="subject")


def states(rows: list[dict[str, Any]], *at: float, basis: str = "consent", **more: Any) -> list[str]:
    """The state at each minute."""
    purpose = registered(basis=basis, **more)
    grounds = Grounds(project(purpose), consents(rows), profiles([]), pa.array(["bob", "ann"]))
    judged = grounds.standings(purpose)[CONSENT if basis == "consent" else INTEREST]
    found = state_at(judged, np.ones(len(at), np.int64), np.array([minutes(each) for each in at]))
    return [State(each).name for each in found.tolist()]


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("DENY", "DENIED"),
        ("WITHDRAW", "WITHDRAWN"),
        ("OBJECT", "OBJECTED"),
        ("INVALIDATE", "INVALID"),
        ("ERASE", "ERASED"),
        ("RESTRICT", "GRANTED"),
    ],
)
def test_a_row_leads_to_its_state(action: str, state: str) -> None:
    assert states([row("GRANT", 10), row(action, 20)], 9, 10, 19, 20) == ["UNKNOWN", "GRANTED", "GRANTED", state]


def test_time_leads_to_expired_and_a_new_major_to_stale() -> None:
    rows = [row("GRANT", 10, expires=20), row("GRANT", 30)]
    versions = ((1, 0), (2, minutes(40)))
    assert states(rows, 20, 30, 39, 40, versions=versions) == ["EXPIRED", "GRANTED", "GRANTED", "STALE"]


def test_a_grant_that_ends_as_a_new_major_begins_has_expired() -> None:
    rows = [row("GRANT", 10, expires=40)]
    assert states(rows, 39, 40, versions=((1, 0), (2, minutes(40)))) == ["GRANTED", "EXPIRED"]


def test_what_is_closed_already_stays_as_it_was() -> None:
    rows = [row("GRANT", 10, expires=20), row("WITHDRAW", 30)]
    assert states(rows, 25, 50, versions=((1, 0), (2, minutes(40)))) == ["EXPIRED", "WITHDRAWN"]


def test_an_objection_covers_what_refuses_less_and_an_erasure_everything() -> None:
    rows = [row("OBJECT", 10), row("WITHDRAW", 20), row("ERASE", 30), row("OBJECT", 40)]
    assert states(rows, 10, 20, 30, 40) == ["OBJECTED", "OBJECTED", "ERASED", "ERASED"]


def test_an_objection_lifted_is_unknown_on_consent_and_open_on_an_interest() -> None:
    rows = [row("OBJECT", 60), row("WITHDRAW", 65), LIFT]
    assert states(rows, 69, 70) == ["OBJECTED", "UNKNOWN"]
    assert states(rows, 0, 69, 70, basis="legitimate_interest") == ["GRANTED", "OBJECTED", "GRANTED"]


def test_lifting_what_was_not_objected_changes_nothing_on_consent() -> None:
    assert states([row("DENY", 60), LIFT], 75) == ["DENIED"]


def test_a_grant_that_comes_to_nothing_says_why() -> None:
    assert states([row("GRANT", 10, purpose_major=9), row("GRANT", 20, expires=15)], 10, 20) == ["STALE", "EXPIRED"]


def test_a_voided_epoch_is_invalid_from_its_beginning() -> None:
    rows = [row("GRANT", 10), row("INVALIDATE", 20, retroactive=True), row("GRANT", 30)]
    assert states(rows, 5, 15, 25, 35) == ["UNKNOWN", "INVALID", "INVALID", "GRANTED"]


def test_a_grant_that_is_over_when_it_is_given_lifts_an_objection_to_an_interest_and_none_on_consent() -> None:
    """Lifetimes are those of consent."""
    rows = [row("OBJECT", 60), row("GRANT", 70, expires=65, method="interactive", actor="subject")]
    assert states(rows, 69, 70) == ["OBJECTED", "OBJECTED"]
    assert states(rows, 69, 70, basis="legitimate_interest") == ["OBJECTED", "GRANTED"]
