"""What a sample says of members is scaled to all, with bounds; what all were asked is exact."""

from collections import Counter

import pyarrow as pa
import pytest

from runners.plans.foreseeing import Sample, Seen


def members_of(subjects: int, looked_at: int, seen: Seen) -> dict[str, dict[str, int]]:
    return dict(Sample(subjects, looked_at, looked_at / subjects, {"s": seen}).members("s"))


@pytest.fixture
def seen() -> Seen:
    """Of 200 members 20 are looked at, and 80 others."""
    before = pa.array([f"u{number}" for number in range(200)])
    return Seen(before, was=20, stay=15, enter=8, satisfy=40, kept_out=Counter({("p", "WITHDRAWN"): 3, ("p", "DENIED"): 14}))


def test_a_number_is_scaled_within_the_members_or_the_others(seen: Seen) -> None:
    found = members_of(1_000, 100, seen)
    assert found["before"] == 200
    assert found["leave"]["number"] == 50 and found["leave"]["low"] < 50 < found["leave"]["high"]
    assert found["enter"]["number"] == 80 and found["enter"]["low"] < 80 < found["enter"]["high"]
    assert found["satisfy"]["number"] == 400


def test_whom_consent_keeps_out_is_told_by_the_commonest_reason_first(seen: Seen) -> None:
    kept = members_of(1_000, 100, seen)["kept_out"]
    assert [(one["reason"], one["number"]) for one in kept] == [("DENIED", 140), ("WITHDRAWN", 30)]  # type: ignore[index]


def test_where_all_are_looked_at_the_bounds_are_the_number(seen: Seen) -> None:
    seen.was, seen.stay = 200, 150
    found = members_of(1_000, 1_000, seen)
    assert found["leave"] == {"number": 50, "low": 50, "high": 50}
    assert found["satisfy"] == {"number": 40, "low": 40, "high": 40}
