from datetime import date
from typing import Any

import pytest

from schemas.age_of_consent import REVIEWED_ON, ages_of_consent
from tests.support.consent_rows import consents, profile, profiles, project, row
from tests.support.consent_rows import purpose as registered
from tests.support.judged import verdict

DAY = 1440
NEW_YEAR = 20_089 * DAY  # 2025-01-01 in minutes since 1970
GRANT = row("GRANT", NEW_YEAR, method="interactive", actor="subject")
BY_A_PARENT = row("GRANT", NEW_YEAR, method="parental", actor="guardian")
FOURTEEN, FIFTEEN = date(2010, 6, 1), date(2009, 6, 1)


def judge(grants: list[dict[str, Any]], people: list[dict[str, Any]], min_age: int | None = 13, days: int = 2) -> str:
    purpose = registered(min_age=min_age)
    instants = [minute * 60_000_000 for minute in (NEW_YEAR + DAY * days - 1, NEW_YEAR + DAY * days, NEW_YEAR * 2)]
    return verdict(project(purpose), purpose.id, consents(grants), profiles(people), "ann", *instants)


def lives_in(country: str | None, born: date | None = FOURTEEN, since: int = 0) -> list[dict[str, Any]]:
    return [profile(since, country=country, birth_date=born)]


@pytest.mark.parametrize(("country", "expected"), [("DE", "MINOR"), ("AT", "ALLOW_consent"), ("ES", "ALLOW_consent")])
def test_a_minors_own_grant_counts_where_the_country_lets_them_consent(country: str, expected: str) -> None:
    assert judge([GRANT], lives_in(country)) == expected


def test_a_parents_grant_counts() -> None:
    assert judge([BY_A_PARENT], lives_in("DE")) == "ALLOW_consent"


def test_coming_of_age_does_not_mend_a_grant_given_before() -> None:
    again = row("GRANT", NEW_YEAR + 600 * DAY, method="interactive", actor="subject")
    assert judge([GRANT], lives_in("DE"), days=700) == "MINOR"
    assert judge([GRANT, again], lives_in("DE"), days=700) == "ALLOW_consent"


def test_only_a_purpose_that_asks_for_an_age_asks_for_parents() -> None:
    assert judge([GRANT], lives_in("DE"), min_age=None) == "ALLOW_consent"


@pytest.mark.parametrize("country", ["JP", None])
def test_a_country_without_an_age_of_consent_asks_for_no_parent(country: str | None) -> None:
    assert judge([GRANT], lives_in(country)) == "ALLOW_consent"


def test_a_profile_that_follows_the_grant_tells_the_age_at_it() -> None:
    assert judge([GRANT], lives_in("DE", since=NEW_YEAR + DAY)) == "MINOR"


def test_the_profile_valid_at_the_grant_tells_the_country() -> None:
    moves = lives_in("DE", FIFTEEN) + lives_in("FR", FIFTEEN, since=NEW_YEAR + DAY)
    assert judge([GRANT], moves) == "MINOR"
    arrives = lives_in("FR", FIFTEEN) + lives_in("DE", FIFTEEN, since=NEW_YEAR + DAY)
    assert judge([GRANT], arrives) == "ALLOW_consent"


def test_the_age_of_consent_is_the_one_in_force_at_the_grant() -> None:
    in_2023 = row("GRANT", NEW_YEAR - 600 * DAY, method="interactive", actor="subject")
    born_2009 = lives_in("DK", date(2009, 6, 1))
    assert judge([in_2023], born_2009) == "ALLOW_consent"  # thirteen was enough in Denmark until 2024
    assert judge([GRANT], lives_in("DK")) == "MINOR"


def test_a_minors_grant_clears_no_objection() -> None:
    objection = row("OBJECT", NEW_YEAR - DAY)
    assert judge([objection, GRANT], lives_in("DE")) == "OBJECTED"
    assert judge([objection, BY_A_PARENT], lives_in("DE")) == "ALLOW_consent"


def test_the_table_is_dated_sound_and_reviewed() -> None:
    table = ages_of_consent()
    assert len({(row.country, row.from_at) for row in table}) == len(table) > 30
    assert all(13 <= row.age <= 16 and len(row.country) == 2 for row in table)
    assert date(2026, 11, 1) < REVIEWED_ON
