from typing import Any

import pyarrow as pa
import pytest

from tests.support.consent_rows import MINUTE, profile, profiles
from transforms.algebra.profiles import MISSING, Profiles, zones

SUBJECTS = pa.array(["ann", "bob"])


def told(rows: list[dict[str, Any]], name: str = "country") -> list[tuple[str, float, Any]]:
    """The steps of a column as (subject, minute, value)."""
    column = Profiles(profiles(rows), SUBJECTS).column(name)
    steps = zip(*(each.tolist() for each in column.steps[:3]), strict=True)
    named = [(SUBJECTS[who].as_py(), at / MINUTE, value) for who, at, value in steps]
    return [(who, at, None if value == MISSING else column.values[value].as_py()) for who, at, value in named]


def test_a_value_holds_until_the_next() -> None:
    rows = [profile(20, country="FR"), profile(10, country="DE"), profile(30, "bob", country="AT")]
    assert told(rows) == [("ann", 10, "DE"), ("ann", 20, "FR"), ("bob", 30, "AT")]


def test_a_delta_changes_column_by_column() -> None:
    rows = [profile(10, country="DE"), profile(20, timezone="Europe/Paris")]
    assert told(rows) == [("ann", 10, "DE")]
    assert told(rows, "timezone") == [("ann", 20, "Europe/Paris")]


def test_an_explicit_null_sets_null() -> None:
    rows = [profile(10, country="DE"), profile(20, explicit_nulls=["timezone", "country"])]
    assert told(rows) == [("ann", 10, "DE"), ("ann", 20, None)]


def test_what_a_snapshot_leaves_out_becomes_null() -> None:
    rows = [profile(10, country="DE"), profile(20, payload="snapshot", timezone="Europe/Paris")]
    assert told(rows) == [("ann", 10, "DE"), ("ann", 20, None)]


def test_a_snapshot_says_nothing_about_columns_that_its_source_does_not_declare() -> None:
    rows = [profile(10, country="DE", source="app"), profile(20, payload="snapshot", timezone="Europe/Paris")]
    for declared, steps in (({"timezone"}, 1), ({"timezone", "country"}, 2)):
        column = Profiles(profiles(rows), SUBJECTS, {"crm": declared}).column("country")
        assert len(column.steps.at) == steps


def test_of_one_instant_the_last_received_wins() -> None:
    rows = [profile(10, country="DE", received=50), profile(10, country="FR", received=40)]
    assert told(rows) == told(rows[::-1]) == [("ann", 10, "DE")]


def test_of_one_receipt_the_greater_hash_wins() -> None:
    rows = [profile(10, country="DE", record_hash=b"\1" * 32), profile(10, country="FR", record_hash=b"\0" * 32)]
    assert told(rows) == told(rows[::-1]) == [("ann", 10, "DE")]


def test_deltas_of_one_instant_add_up() -> None:
    rows = [profile(10, country="DE"), profile(10, timezone="Europe/Paris")]
    assert told(rows) == [("ann", 10, "DE")]


def test_a_value_said_again_is_no_step() -> None:
    assert told([profile(10, country="DE"), profile(20, country="DE")]) == [("ann", 10, "DE")]


def test_lists_are_values_too() -> None:
    assert told([profile(10, tags=["a", "b"]), profile(20, explicit_nulls=["tags"])], "tags") == [
        ("ann", 10, ["a", "b"]),
        ("ann", 20, None),
    ]


def test_a_column_that_nothing_declares_is_missing() -> None:
    assert told([profile(10, country="DE")], "shoe_size") == []


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd"])
def test_a_zone_that_does_not_exist_is_the_project_s(name: str) -> None:
    column = Profiles(profiles([profile(10, timezone=name)]), SUBJECTS).column("timezone")
    names, steps = zones(column, "Europe/Berlin")
    assert names == ("Europe/Berlin",)
    assert len(steps.who) == 0


def test_zones_are_numbered_from_the_project_s() -> None:
    rows = [
        profile(10, timezone="Asia/Tokyo"),
        profile(20, timezone="Europe/Berlin"),
        profile(30, "bob", timezone="UTC"),
    ]
    names, steps = zones(Profiles(profiles(rows), SUBJECTS).column("timezone"), "Europe/Berlin")
    assert [
        (who, at / MINUTE, names[zone]) for who, at, zone in zip(*(each.tolist() for each in steps[:3]), strict=True)
    ] == [
        (0, 10, "Asia/Tokyo"),
        (0, 20, "Europe/Berlin"),
        (1, 30, "UTC"),
    ]
