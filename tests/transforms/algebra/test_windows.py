"""In which interval of T an event counts, by the window alone."""

import numpy as np
import pytest

from schemas.definitions.window import PROFILE, Absolute, Ago, Between, Calendar, Last, Lifetime, Window
from transforms.algebra.order import FOREVER
from transforms.algebra.windows import Zones, interval, later, own_days

HOUR = 3_600_000_000
DAY = 24 * HOUR
MONDAY = 1_767_571_200_000_000
"""2026-01-05T00:00:00Z."""
NOON = MONDAY + 12 * HOUR
TWO = Zones(("UTC", "Asia/Tokyo"), np.array([0, 1]))


def counts(window: Window, *at: int) -> list[tuple[int, int]]:
    """Of events of somebody in Greenwich, but of the second, who is in Tokyo."""
    zones = Zones(TWO.names, np.arange(len(at)) % 2)
    start, stop = interval(window, np.array(at), lambda: zones)
    return list(zip(start.tolist(), stop.tolist(), strict=True))


@pytest.mark.parametrize(
    ("window", "start", "stop"),
    [
        (Last(DAY), NOON, NOON + DAY),
        (Between(3 * DAY, DAY), NOON + DAY, NOON + 3 * DAY),
        (Between(3 * DAY, 0), NOON, NOON + 3 * DAY),
        (Ago(DAY), NOON + DAY, FOREVER),
        (Lifetime(), NOON, FOREVER),
        (Calendar(1, "day", "UTC", True), NOON, MONDAY + DAY),
        (Calendar(2, "day", "UTC", True), NOON, MONDAY + 2 * DAY),
        (Calendar(1, "day", "UTC", False), MONDAY + DAY, MONDAY + 2 * DAY),
        (Calendar(1, "week", "UTC", True), NOON, MONDAY + 7 * DAY),
        (Calendar(2, "week", "UTC", False), MONDAY + 7 * DAY, MONDAY + 21 * DAY),
        (Calendar(1, "day", "Asia/Tokyo", True), NOON, MONDAY + 15 * HOUR),
    ],
)
def test_an_event_counts_from_the_near_end_of_its_window_to_the_far_one(window: Window, start: int, stop: int) -> None:
    assert counts(window, NOON) == [(start, stop)]


def test_days_of_the_subject_end_where_it_lives() -> None:
    assert counts(Calendar(1, "day", PROFILE, True), NOON, NOON) == [(NOON, MONDAY + DAY), (NOON, MONDAY + 15 * HOUR)]
    assert np.diff(own_days(np.array([MONDAY + 20 * HOUR] * 2), TWO)).tolist() == [1]


@pytest.mark.parametrize(
    ("window", "inside"),
    [
        (Absolute(MONDAY, NOON), [False, True, True, False, False]),
        (Absolute(MONDAY, None), [False, True, True, True, True]),
        (Absolute(None, NOON), [True, True, True, False, False]),
    ],
)
def test_an_event_at_the_first_instant_of_a_time_is_in_it_and_at_the_last_it_is_not(window: Window, inside: list[bool]) -> None:
    at = (MONDAY - 1, MONDAY, NOON - 1, NOON, NOON + 1)
    assert counts(window, *at) == [(one, FOREVER if is_in else one) for one, is_in in zip(at, inside, strict=True)]


def test_nothing_lies_beyond_the_end_of_time() -> None:
    at = np.array([0, FOREVER - DAY - 1, FOREVER - DAY, FOREVER - DAY + 1, FOREVER])
    assert later(at, DAY).tolist() == [DAY, FOREVER - 1, FOREVER, FOREVER, FOREVER]
