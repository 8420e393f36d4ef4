"""Local dates begin where the law says, also where a clock is set at midnight or a day is skipped."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.oracle_model import DAY, UNITS, add_units, first_date, local_date, start_of_date
from transforms.algebra.calendars import day_starts, local_days, unit_first
from transforms.algebra.order import BEGINNING, FOREVER

ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "America/Los_Angeles", "Asia/Kathmandu")
CHANGES = (date(2018, 11, 4), date(2011, 12, 30), date(2026, 3, 29), date(2026, 10, 25), date(2023, 3, 26), date(1970, 1, 1))
EPOCH = date(1970, 1, 1).toordinal()
DAYS = st.one_of(
    st.tuples(st.sampled_from(CHANGES), st.integers(-2, 2)).map(lambda near: near[0].toordinal() + near[1] - EPOCH),
    st.integers(-20_000, 40_000),
)


def day_of(number: int) -> date:
    return date.fromordinal(number + EPOCH)


@given(st.lists(DAYS, min_size=1, max_size=4), st.sampled_from(ZONES))
def test_a_date_begins_at_its_first_instant(days: list[int], zone: str) -> None:
    asked = [start_of_date(day_of(day), ZoneInfo(zone)) for day in days]
    assert day_starts(np.array(days), zone).tolist() == asked


@given(st.lists(st.tuples(DAYS, st.integers(-1, 1)), min_size=1, max_size=4), st.sampled_from(ZONES))
def test_an_instant_has_the_date_that_has_begun(near: list[tuple[int, int]], zone: str) -> None:
    """Just before, at and after the beginning of a date."""
    at = [start_of_date(day_of(day), ZoneInfo(zone)) + beside for day, beside in near]
    found = [day_of(day) for day in local_days(np.array(at), zone).tolist()]
    assert found == [local_date(one, ZoneInfo(zone)) for one in at]


@given(st.lists(DAYS, min_size=1, max_size=4), st.sampled_from(UNITS), st.integers(-30, 30))
def test_a_unit_is_as_many_units_ahead(days: list[int], unit: str, ahead: int) -> None:
    found = [day_of(day) for day in unit_first(np.array(days), unit, ahead).tolist()]
    assert found == [add_units(first_date(day_of(day), unit), unit, ahead) for day in days]


@pytest.mark.parametrize(("year", "begins"), [(-1, BEGINNING), (10_001, FOREVER)])
def test_what_no_date_can_hold_lies_before_or_after_all_time(year: int, begins: int) -> None:
    days = np.array([(year - 1970) * 366])
    assert day_starts(days, "Europe/Berlin").tolist() == [begins]


def test_the_last_dates_begin_as_all_others_do() -> None:
    last = date.max.toordinal() - EPOCH
    assert day_starts(np.array([last - 1, last]), "UTC").tolist() == [(last - 1) * DAY, FOREVER]
    assert day_starts(np.array([2 - EPOCH, 3 - EPOCH]), "UTC").tolist() == [BEGINNING, (3 - EPOCH) * DAY]
