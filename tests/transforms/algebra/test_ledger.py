from typing import Any

import pyarrow as pa
import pytest

from tests.support.consent_rows import MINUTE, consents, row
from transforms.algebra.claims import Action
from transforms.algebra.ledger import Ledger, first_permissive, ledger
from transforms.algebra.order import FOREVER

PURPOSES = ("ads", "mail")


def read(rows: list[dict[str, Any]], subjects: tuple[str, ...] = ("ann",)) -> Ledger:
    return ledger(consents(rows), pa.array(subjects), PURPOSES)


def shown(entries: Ledger) -> list[tuple[str, str, float]]:
    """The accepted rows as (action, purpose, received), in minutes."""
    names = [*PURPOSES, "*"]
    columns = (entries.rows.action, entries.rows.purpose, entries.rows.received_at)
    return sorted(
        (Action(a).name, names[p], r / MINUTE) for a, p, r in zip(*(c.tolist() for c in columns), strict=True)
    )


def twin(action: str, claimed: float, received: float | None = None, **more: Any) -> dict[str, Any]:
    return row(action, claimed, received, event_id="one", **more)


def test_of_equal_bodies_the_first_received_counts() -> None:
    entries = read([twin("GRANT", 100, 130), twin("GRANT", 100, 110), twin("GRANT", 100, 120)])
    assert shown(entries) == [("GRANT", "ads", 110)]


def test_of_conflicting_bodies_all_that_restrict_apply_and_none_that_permits() -> None:
    entries = read([twin("GRANT", 100), twin("WITHDRAW", 90), twin("OBJECT", 120), twin("GRANT", 150)])
    assert [action for action, *_ in shown(entries)] == ["OBJECT", "WITHDRAW"]


def test_of_two_permissive_bodies_the_later_in_effect_applies() -> None:
    entries = read([twin("GRANT", 100, 110), twin("GRANT", 90, 120), twin("UNOBJECT", 80, 200)])
    assert shown(entries) == [("UNOBJECT", "ads", 200)]


def test_of_two_permissive_bodies_of_one_instant_the_smaller_hash_applies() -> None:
    low, high = twin("GRANT", 100, record_hash=b"\0" * 32), twin("UNOBJECT", 100, record_hash=b"\1" * 32)
    assert shown(read([low, high])) == shown(read([high, low])) == [("GRANT", "ads", 100)]


@pytest.mark.parametrize("other", [{"source": "b"}, {"subject": "bob"}, {"purpose": "mail"}, {"channel": "email"}])
def test_rows_of_another_key_are_no_twins(other: dict[str, Any]) -> None:
    assert len(shown(read([twin("GRANT", 100), twin("WITHDRAW", 100, **other)], ("ann", "bob")))) == 2


def test_an_absent_channel_is_every_channel() -> None:
    assert shown(read([twin("GRANT", 100), twin("DENY", 100, channel="*")])) == [("DENY", "ads", 100)]


def test_what_is_quarantined_is_no_twin() -> None:
    assert shown(read([twin("GRANT", 100), twin("GRANT", 900, 100)])) == [("GRANT", "ads", 100)]


def test_rows_of_other_subjects_are_left_out() -> None:
    assert shown(read([row("GRANT", 100, subject="bob")])) == []


def snap(action: str, purpose: str, claimed: float = 100, received: float | None = None, **more: Any) -> dict[str, Any]:
    return row(action, claimed, received, purpose=purpose, payload_kind="snapshot", event_id="snap", **more)


def test_a_snapshot_withdraws_every_registered_purpose_it_leaves_out() -> None:
    assert shown(read([snap("GRANT", "mail", 100, 103)])) == [("GRANT", "mail", 103), ("WITHDRAW", "ads", 103)]


def test_the_rows_of_a_snapshot_are_one() -> None:
    assert shown(read([snap("GRANT", "mail"), snap("DENY", "ads")])) == [("DENY", "ads", 100), ("GRANT", "mail", 100)]


def test_a_row_of_one_channel_does_not_speak_for_the_purpose() -> None:
    entries = read([snap("GRANT", "mail"), snap("GRANT", "ads", channel="email")])
    assert ("WITHDRAW", "ads", 100) in shown(entries)


def test_what_is_quarantined_is_not_in_the_snapshot() -> None:
    assert shown(read([snap("GRANT", "mail"), snap("GRANT", "ads", 900, 100)])) == [
        ("GRANT", "mail", 100),
        ("WITHDRAW", "ads", 100),
    ]


def test_a_delta_leaves_other_purposes_alone() -> None:
    assert shown(read([row("GRANT", 100, purpose="mail")])) == [("GRANT", "mail", 100)]


def test_what_a_snapshot_implies_points_to_the_snapshot() -> None:
    entries = read([row("GRANT", 1), snap("GRANT", "mail")])
    assert entries.row.tolist() == [0, 1, 1]


def test_acts_at_one_instant_apply_in_order_of_severity() -> None:
    names = ("ERASE", "OBJECT", "RESTRICT", "WITHDRAW", "DENY", "INVALIDATE", "UNRESTRICT", "GRANT", "UNOBJECT")
    entries = read([row(name, 100) for name in names])
    assert [Action(each).name for each in entries.rows.action[entries.act].tolist()] == [*reversed(names)]


def test_grants_of_one_instant_apply_by_event_id() -> None:
    rows = [row("GRANT", 100, event_id=name) for name in ("b", "a\u00e9", "a", "B")]
    assert read(rows).row[read(rows).act].tolist() == [3, 2, 1, 0]


def test_the_first_permission_is_the_earliest_that_is_a_fact() -> None:
    rows = [
        row("GRANT", 900, 10),  # from the future
        row("GRANT", 20, purpose="nothing"),
        twin("GRANT", 30),
        twin("DENY", 30),
        row("GRANT", 40, channel="email", purpose_major=7),
        row("GRANT", 50),
        row("UNOBJECT", 60, subject="cid"),
    ]
    first = first_permissive(read(rows, ("ann", "bob", "cid")))
    assert first.tolist() == [40 * MINUTE, FOREVER, 60 * MINUTE]
