from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions.instant import has_offset, parse_date, parse_instant, write_instant, zone


def utc(*parts: int) -> int:
    return (datetime(*parts, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31T09:30:00Z", utc(2026, 1, 31, 9, 30)),
        ("2026-01-31 09:30+02:00", utc(2026, 1, 31, 7, 30)),
        ("2026-01-31t09:30:00.123456-0530", utc(2026, 1, 31, 15, 0, 0, 123456)),
        ("2026-01-31T09:30:00+02", utc(2026, 1, 31, 7, 30)),
        ("1970-01-01", 0),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_iso_8601_is_read(text: str, instant: int) -> None:
    assert parse_instant(text) == instant


def test_finer_digits_are_cut_off_towards_the_past() -> None:
    assert parse_instant("1969-12-31T23:59:59.9999999Z") == -1
    assert parse_instant("2026-01-01T00:00:00.0000009Z") == utc(2026, 1, 1)


def test_a_date_is_its_local_midnight() -> None:
    assert parse_instant("2026-07-01", "Europe/Berlin") == utc(2026, 6, 30, 22)


def test_an_offset_wins_over_the_zone() -> None:
    assert parse_instant("2026-07-01T00:00Z", "Europe/Berlin") == utc(2026, 7, 1)


def test_a_time_shown_twice_is_the_earlier_instant() -> None:
    assert parse_instant("2026-10-25T02:30", "Europe/Berlin") == utc(2026, 10, 25, 0, 30)


def test_a_time_that_is_skipped_is_the_instant_after_the_same_elapsed_time() -> None:
    assert parse_instant("2026-03-29T02:30", "Europe/Berlin") == utc(2026, 3, 29, 1, 30)


def test_a_date_whose_midnight_is_skipped_begins_at_its_first_instant() -> None:
    assert parse_instant("2018-11-04", "America/Sao_Paulo") == utc(2018, 11, 4, 3)


@pytest.mark.parametrize(
    "text",
    ["", "now", "1700000000", "2026-1-1", "2026-02-30", "2026-13-01", "2026-01-01T25:00", "2026-01-01T00:00:60Z", "2026-W01", "20260101",
     "2026-01-01T", "2026-01-01Z", "2026-01-01T00:00+99:00", "2026-01-01T00:00+02:60", "2026-01-01T1:00", "٢٠٢٦-01-01", "2026-01-01T00"],
)  # fmt: skip
def test_nothing_else_is_an_instant(text: str) -> None:
    with pytest.raises(ValueError, match="no such"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-01:00", "0001-01-01"])
def test_an_instant_beyond_the_years_that_can_be_written_is_none(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_instant(text, "Europe/Berlin")
    assert refused.value.context["expected"] == "an instant within the years 1 to 9999 of UTC"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Berlin",
        "Europe",
        "europe/berlin",
        "../../etc/passwd",
        "/etc/passwd",
        "Europe/Berlin\x00",
        "x" * 99,
        "+01:00",
    ],
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no such time zone"):
        zone(name)


def test_a_zone_that_is_nearly_right_is_proposed() -> None:
    with pytest.raises(ValueError) as refused:
        zone("Europe/Berln")
    assert refused.value.context["nearest"] == "Europe/Berlin"


def test_a_date_is_days() -> None:
    assert (parse_date("1970-01-02"), parse_date("1969-12-31")) == (1, -1)


def test_an_offset_is_seen() -> None:
    assert has_offset("2026-01-01T00:00Z") and not has_offset("2026-01-01T00:00") and not has_offset("2026-01-01")


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)))
def test_what_is_written_is_read_again(moment: datetime) -> None:
    instant = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    assert parse_instant(write_instant(instant)) == instant


@given(
    st.datetimes(min_value=datetime(1990, 1, 3), max_value=datetime(2037, 12, 29)),
    st.sampled_from(["Europe/Berlin", "America/New_York"]),
)
def test_a_local_time_shows_itself_again_unless_it_is_skipped(moment: datetime, name: str) -> None:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=parse_instant(moment.isoformat(), name))
    shown = instant.astimezone(ZoneInfo(name)).replace(tzinfo=None)
    assert shown in (moment, moment + timedelta(hours=1))
