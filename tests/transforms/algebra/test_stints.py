from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from schemas.definitions.project import Project
from schemas.definitions.purpose import Purpose
from tests.support.consent_rows import MINUTE, consents, minutes, profile, profiles, project, row
from tests.support.consent_rows import purpose as registered
from tests.support.judged import stints
from transforms.algebra.order import BEGINNING, FOREVER

INTEREST = {"default": "legitimate_interest"}
ALWAYS = (-9, 9999, -9, 9999)
MIXED = {"default": "consent", "US": "legitimate_interest"}


def spans(
    rows: list[dict[str, Any]], of: Project | Purpose, *people: dict[str, Any], subjects: tuple[str, ...] = ("ann",)
) -> list[tuple[float, ...]]:
    """The stints as (event_from, event_to, use_from, use_to) in minutes, -9 for the beginning and 9999 for ever."""
    world = project(of) if isinstance(of, Purpose) else of
    found = stints(world, tuple(world.purposes), consents(rows), profiles(people), pa.array(subjects))
    ends = {BEGINNING: -9.0, FOREVER: 9999.0}
    return [
        tuple(ends.get(each, each / MINUTE) for each in span)
        for span in zip(*(c.tolist() for c in found[1:]), strict=True)
    ]


def test_without_a_row_an_interest_is_open_for_all_time() -> None:
    assert spans([], registered(basis=INTEREST)) == [ALWAYS]


def test_without_a_row_consent_opens_nothing() -> None:
    assert spans([], registered()) == []


def test_an_epoch_is_its_own_events_and_uses() -> None:
    rows = [row("GRANT", 100), row("WITHDRAW", 200), row("GRANT", 300)]
    assert spans(rows, registered()) == [(100, 200, 100, 200), (300, 9999, 300, 9999)]


def test_an_interest_is_split_by_what_closes_it() -> None:
    rows = [row("WITHDRAW", 100), row("GRANT", 200), row("GRANT", 210), row("DENY", 220)]
    assert spans(rows, registered(basis=INTEREST)) == [(-9, 100, -9, 100), (200, 220, 200, 220)]


def test_a_grant_while_granted_keeps_the_epoch_and_the_later_end() -> None:
    rows = [row("GRANT", 100, expires=200), row("GRANT", 150, expires=180), row("GRANT", 190, expires=250)]
    assert spans(rows, registered()) == [(100, 250, 100, 250)]


def test_a_grant_at_the_end_opens_a_new_epoch() -> None:
    rows = [row("GRANT", 100, expires=200), row("GRANT", 200, expires=250)]
    assert spans(rows, registered()) == [(100, 200, 100, 200), (200, 250, 200, 250)]


def test_a_restriction_splits_the_use_and_not_the_events() -> None:
    rows = [row("GRANT", 100), row("RESTRICT", 120), row("UNRESTRICT", 140), row("WITHDRAW", 200)]
    assert spans(rows, registered()) == [(100, 200, 100, 120), (100, 200, 140, 200)]


def test_at_one_instant_the_restriction_stays() -> None:
    rows = [row("RESTRICT", 100), row("RESTRICT", 150), row("UNRESTRICT", 150)]
    assert spans(rows, registered(basis=INTEREST)) == [(-9, 9999, -9, 100)]


def test_a_purpose_with_an_age_counts_events_from_the_birthday() -> None:
    born = profile(0, birth_date=date(1954, 1, 2))  # sixteen at minute 1440
    assert spans([row("GRANT", 0)], registered(min_age=16), born) == [(1440, 9999, 1440, 9999)]


def test_another_birth_date_splits_the_use_and_moves_the_events() -> None:
    born = [profile(0, birth_date=date(1950, 1, 1)), profile(2000, birth_date=date(1954, 1, 2))]
    assert spans([row("GRANT", 0)], registered(min_age=16), *born) == [(0, 9999, 0, 2000), (1440, 9999, 2000, 9999)]


def test_another_birth_date_that_changes_no_event_splits_nothing() -> None:
    born = [profile(0, birth_date=date(1950, 1, 1)), profile(2000, birth_date=date(1951, 1, 1))]
    assert spans([row("GRANT", 0)], registered(min_age=16), *born) == [(0, 9999, 0, 9999)]


def test_while_the_age_is_unknown_nothing_is_used() -> None:
    born = [profile(100, birth_date=date(1950, 1, 1)), profile(200, explicit_nulls=["birth_date"])]
    assert spans([row("GRANT", 0)], registered(min_age=16), *born) == [(0, 9999, 100, 200)]


def test_a_change_of_country_on_one_basis_closes_nothing() -> None:
    moves = [profile(100, country="FR"), profile(200, country="DE")]
    assert spans([row("GRANT", 0)], registered(basis=MIXED), *moves) == [(0, 9999, 0, 9999)]


def test_a_change_of_basis_closes_the_epoch() -> None:
    moves = [profile(100, country="US"), profile(200, country="DE")]
    rows = [row("GRANT", 0), row("GRANT", 150), row("GRANT", 250)]
    assert spans(rows, registered(basis=MIXED), *moves) == [
        (0, 100, 0, 100),
        (100, 200, 100, 200),
        (250, 9999, 250, 9999),
    ]


def test_a_refusal_goes_along_to_a_country_on_an_interest() -> None:
    assert spans([row("GRANT", 0), row("OBJECT", 50)], registered(basis=MIXED), profile(100, country="US")) == [
        (0, 50, 0, 50)
    ]


def test_a_grant_on_the_day_of_the_move_opens_on_consent() -> None:
    moves = [profile(0, country="US"), profile(100, country="DE")]
    assert spans([row("GRANT", 100)], registered(basis=MIXED), *moves)[-1] == (100, 9999, 100, 9999)


def test_where_no_default_is_named_the_strictest_basis_holds() -> None:
    purpose = registered(basis={"US": "legitimate_interest", "DE": "consent"})
    assert spans([], purpose, profile(100, country="US"), profile(200, country="JP")) == [(100, 200, 100, 200)]


def both(**more: Any) -> Project:
    return project(registered(), registered("mail", **more))


def test_several_purposes_count_in_one_epoch_of_each() -> None:
    rows = [
        row("GRANT", 100),
        row("WITHDRAW", 300),
        row("GRANT", 50, purpose="mail"),
        row("WITHDRAW", 200, purpose="mail"),
    ]
    rows.append(row("GRANT", 250, purpose="mail"))
    assert spans(rows, both()) == [(100, 200, 100, 200), (250, 300, 250, 300)]


def test_where_one_purpose_is_closed_nothing_counts() -> None:
    assert spans([row("GRANT", 100)], both()) == []
    assert spans([row("GRANT", 100)], both(basis=INTEREST)) == [(100, 9999, 100, 9999)]


def test_every_purpose_is_withdrawn_by_a_star() -> None:
    rows = [row("GRANT", 100), row("GRANT", 100, purpose="mail"), row("WITHDRAW", 200, purpose="*")]
    assert spans(rows, both()) == [(100, 200, 100, 200)]


def test_rows_of_other_channels_say_nothing_about_membership() -> None:
    rows = [row("GRANT", 100), row("WITHDRAW", 200, channel="email"), row("GRANT", 50, channel="push")]
    assert spans(rows, registered()) == [(100, 9999, 100, 9999)]


def test_subjects_are_numbered_in_their_order() -> None:
    rows = [row("GRANT", 100, subject="bob"), row("GRANT", 200, subject="ann"), row("GRANT", 1, subject="zoe")]
    table, subjects = consents(rows), pa.array(["zed", "bob", "ann"])
    found = stints(project(), ("ads",), table, profiles([]), subjects)
    assert (found.subject.tolist(), found.use_from.tolist()) == ([1, 2], [minutes(100), minutes(200)])


def test_of_no_subjects_there_are_no_stints() -> None:
    found = stints(project(), ("ads",), consents([row("GRANT", 1)]), profiles([]), pa.array([], pa.string()))
    assert [len(column) for column in found] == [0] * 5


@pytest.mark.parametrize("basis", [INTEREST, MIXED, {"default": "consent"}])
def test_a_voided_epoch_is_no_stint(basis: dict[str, str]) -> None:
    rows = [row("GRANT", 100), row("INVALIDATE", 200, retroactive=True), row("GRANT", 300)]
    assert spans(rows, registered(basis=basis)) == [(300, 9999, 300, 9999)]
