import numpy as np
import pyarrow as pa
import pytest

from tests.support.consent_rows import MINUTE, consents, minutes, row
from transforms.algebra.claims import Action, claims, effective_at, instants, quarantined


def first(action: str, claimed: float, received: float, **more: str) -> float:
    at = effective_at(consents([row(action, claimed, received, **more)]))
    return int(at.cast(pa.int64())[0].as_py()) / MINUTE


def all_instants(action: str, claimed: float, received: float, trusted: bool = False, **more: str) -> list[float]:
    table = consents([row(action, claimed, received, **more)])
    _, at = instants(claims(table, ["ads"], ["cmp"] if trusted else []))
    return sorted(float(each) / MINUTE for each in at)


@pytest.mark.parametrize(
    ("claimed", "received", "precision", "expected"),
    [
        (100, 110, "us", 100),
        (100, 115, "us", 100),
        (100, 400, "us", 385),
        (103, 100, "us", 100),
        (100, 110, "s", 100 + 1 / 60),
        (0, 600, "day", 600),
        (0, 2000, "day", 1985),
    ],
)
def test_what_permits_acts_from_its_latest_plausible_instant(
    claimed: float, received: float, precision: str, expected: float
) -> None:
    assert first("GRANT", claimed, received, claimed_precision=precision) == pytest.approx(expected)


@pytest.mark.parametrize(("claimed", "received", "expected"), [(100, 110, 100), (900, 100, 100), (0, 9000, 0)])
def test_what_restricts_acts_from_its_earliest_instant(claimed: float, received: float, expected: float) -> None:
    assert first("WITHDRAW", claimed, received) == expected


def test_what_restricts_acts_again_where_it_may_have_been_meant_later() -> None:
    assert all_instants("DENY", 100, 105) == [100]
    assert all_instants("DENY", 100, 106) == [100, 106]
    assert all_instants("DENY", 100, 106, trusted=True) == [100]
    assert all_instants("DENY", 0, 2000, claimed_precision="day") == [0, 1440, 2000]
    assert all_instants("DENY", 0, 2000, claimed_precision="day", trusted=True) == [0, 1440]
    assert all_instants("DENY", 0, 600, claimed_precision="day") == [0, 600]
    assert all_instants("DENY", 900, 100) == [100]


def test_what_permits_acts_once() -> None:
    assert all_instants("GRANT", 0, 600, claimed_precision="day") == [600]


@pytest.mark.parametrize("action", ["GRANT", "UNOBJECT", "UNRESTRICT"])
def test_a_permission_from_the_future_is_set_aside_for_good(action: str) -> None:
    rows = consents([row(action, 105, 100), row(action, 106, 100)])
    assert quarantined(rows, ["ads"]).to_pylist() == [None, "future"]


def test_a_refusal_from_the_future_is_not_set_aside() -> None:
    assert quarantined(consents([row("WITHDRAW", 900, 100)]), ["ads"]).to_pylist() == [None]


@pytest.mark.parametrize("missing", ["event_id", "subject", "purpose", "action", "claimed_at", "received_at"])
def test_what_is_required_and_missing_is_malformed(missing: str) -> None:
    assert quarantined(consents([row("WITHDRAW", 1) | {missing: None}]), ["ads"]).to_pylist() == ["malformed"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "grant"},
        {"event_id": ""},
        {"channel": "fax"},
        {"claimed_precision": "week"},
        {"payload_kind": "full"},
    ],
)
def test_a_value_that_the_column_does_not_know_is_malformed(wrong: dict[str, str]) -> None:
    assert quarantined(consents([row("WITHDRAW", 1) | wrong]), ["ads"]).to_pylist() == ["malformed"]


PERMITS = [(action.name, action.name in ("GRANT", "UNOBJECT", "UNRESTRICT")) for action in Action]


@pytest.mark.parametrize(("action", "permits"), PERMITS)
@pytest.mark.parametrize("wrong", [{"method": "guess"}, {"actor": "cat"}, {"purpose": "*"}])
def test_what_permits_answers_for_its_method_its_actor_and_its_purpose_and_what_restricts_does_not(
    action: str, permits: bool, wrong: dict[str, str]
) -> None:
    rows = consents([row(action, 1) | wrong])
    assert quarantined(rows, ["ads"]).to_pylist() == ["malformed" if permits else None]


def test_an_unregistered_purpose_is_quarantined() -> None:
    rows = consents([row("GRANT", 1, purpose="Ads"), row("WITHDRAW", 1, purpose="sms")])
    assert quarantined(rows, ["ads"]).to_pylist() == ["unknown_purpose"] * 2


def test_the_effective_instant_of_a_malformed_row_is_null() -> None:
    rows = consents([row("WITHDRAW", 1) | {"claimed_at": None}, row("grant", 1)])
    assert effective_at(rows).to_pylist() == [None, None]


def test_what_is_absent_has_its_default() -> None:
    read = claims(consents([row("GRANT", 1)]), ["ads"])
    assert (read.major[0], read.channel[0], read.until_at[0]) == (1, 0, minutes(1))
    assert not (read.clears | read.snapshot | read.retroactive | read.trusted).any()
    assert read.expires_at[0] == np.iinfo(np.int64).max
