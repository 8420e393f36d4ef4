import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from schemas.definitions.duration import LONGEST, SECOND, UNITS, parse_duration, write_duration

DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("text", "length"),
    [("90s", 90 * SECOND), ("45m", 2_700 * SECOND), ("24h", DAY), ("7d", 7 * DAY), ("2w", 14 * DAY), ("0m", 0)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length: int) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "7", "d", "7 d", "1mo", "1y", "1.5d", "-1d", "7D", "1h30m", "٣d", "400001d", "9999999999999d"]
)
def test_nothing_else_is_one(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.integers(1, 400_000), st.sampled_from(sorted(UNITS)))
def test_what_is_written_means_the_same(number: int, unit: str) -> None:
    length = parse_duration(f"{number}{unit}") if number * UNITS[unit] <= LONGEST else DAY
    assert parse_duration(write_duration(length)) == length


@pytest.mark.parametrize("text", ["1 month", "3mo", "1y", "2 years", "1 quarter"])
def test_of_units_of_no_fixed_length_it_says_that_days_are_meant(text: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        parse_duration(text)
    assert "say how many days" in (refused.value.context or {})["expected"]
