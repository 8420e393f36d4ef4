from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.support.consent_rows import profile, profiles
from transforms.algebra.ages import Lives, age_steps, birthdays, lives
from transforms.algebra.order import FOREVER, value_at
from transforms.algebra.profiles import Profiles, zones

FIRST = -2_000_000_000  # a minute long before all


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def known(*rows: dict[str, Any], zone: str = "UTC") -> Lives:
    read = Profiles(profiles(rows), pa.array(["ann"]))
    return lives(read.column("birth_date"), *zones(read.column("timezone"), zone))


def reaches(born: date, years: int, zone: str = "UTC") -> datetime:
    at = birthdays(known(profile(FIRST, birth_date=born), zone=zone), years)[-1]
    return datetime.fromtimestamp(int(at) / 1_000_000, UTC)


@pytest.mark.parametrize(
    ("born", "years", "expected"),
    [
        (date(2008, 2, 29), 16, "2024-02-29T00:00Z"),
        (date(2008, 2, 29), 17, "2025-03-01T00:00Z"),
        (date(2008, 2, 28), 17, "2025-02-28T00:00Z"),
        (date(1884, 2, 29), 16, "1900-03-01T00:00Z"),
        (date(2007, 12, 31), 18, "2025-12-31T00:00Z"),
        (date(2007, 12, 31), 0, "2007-12-31T00:00Z"),
    ],
)
def test_a_birthday_is_a_date(born: date, years: int, expected: str) -> None:
    assert reaches(born, years) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("born", "zone", "expected"),
    [
        (date(2008, 7, 1), "Europe/Berlin", "2026-07-01T00:00+02:00"),
        (date(2008, 1, 1), "America/New_York", "2026-01-01T00:00-05:00"),
        (date(2000, 9, 8), "America/Santiago", "2018-09-08T00:00-03:00"),
        (date(2001, 9, 8), "America/Santiago", "2019-09-08T01:00-03:00"),  # midnight is skipped that day
        (date(1988, 11, 5), "America/Havana", "2006-11-05T00:00-05:00"),
    ],
)
def test_it_begins_with_the_local_date(born: date, zone: str, expected: str) -> None:
    assert reaches(born, 18, zone) == datetime.fromisoformat(expected)


def test_of_an_unknown_birth_there_are_no_birthdays() -> None:
    assert birthdays(known(), 18).tolist() == [FOREVER]


def age_at(lives_known: Lives, text: str, *ages: int) -> int:
    return int(value_at(age_steps(lives_known, ages), np.array([0]), np.array([us(text)]))[0])


def test_before_birth_age_is_missing() -> None:
    born = known(profile(FIRST, birth_date=date(2010, 5, 5)))
    assert [age_at(born, text, 18) for text in ("2010-05-04T23:59:59Z", "2010-05-05T00:00Z")] == [-1, 0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2028-05-04T23:59:59Z", 0), ("2028-05-05T00:00Z", 18), ("2029-05-05T00:00Z", 19), ("2090-01-01T00:00Z", 19)],
)
def test_age_steps_where_a_comparison_could_turn(text: str, expected: int) -> None:
    assert age_at(known(profile(FIRST, birth_date=date(2010, 5, 5))), text, 18) == expected


def test_a_corrected_birth_date_counts_from_where_it_is_valid() -> None:
    turn = us("2027-01-01T00:00Z") / 60_000_000
    born = known(profile(FIRST, birth_date=date(2000, 1, 1)), profile(turn, birth_date=date(2020, 1, 1)))
    assert [age_at(born, text, 18) for text in ("2026-12-31T23:59Z", "2027-01-01T00:00Z", "2038-01-01T00:00Z")] == [
        19,
        0,
        18,
    ]


def test_the_zone_valid_at_the_instant_decides_on_the_date() -> None:
    turn = us("2028-05-04T18:00Z") / 60_000_000
    born = known(profile(FIRST, birth_date=date(2010, 5, 5)), profile(turn, timezone="Asia/Tokyo"))
    assert [age_at(born, text, 18) for text in ("2028-05-04T17:59Z", "2028-05-04T18:00Z")] == [0, 18]


def test_a_birth_date_taken_back_is_unknown_again() -> None:
    turn = us("2030-01-01T00:00Z") / 60_000_000
    born = known(profile(FIRST, birth_date=date(2000, 1, 1)), profile(turn, explicit_nulls=["birth_date"]))
    assert [age_at(born, text, 18) for text in ("2029-12-31T00:00Z", "2030-01-01T00:00Z")] == [19, -1]
