from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.definitions.duration import SECOND
from schemas.definitions.instant import parse_instant
from schemas.definitions.reference import EventReference
from schemas.definitions.window import Absolute, AnyWindow, Between, Calendar, Last, Lifetime, Session, Since, Window

DAY = 86_400 * SECOND
WINDOW: TypeAdapter[Window] = TypeAdapter(AnyWindow)


def read(value: Any, timezone: str = "Europe/Berlin") -> Any:
    return WINDOW.validate_python(value, context={"timezone": timezone})


@pytest.mark.parametrize(
    ("value", "window"),
    [
        ("7d", Last(7 * DAY)),
        ("lifetime", Lifetime()),
        ({"last": "2w"}, Last(14 * DAY)),
        ({"between": ["90d", "30d"]}, Between(90 * DAY, 30 * DAY)),
        ({"between": ["1d", "0s"]}, Between(DAY, 0)),
        ({"calendar": {"unit": "day"}}, Calendar(1, "day", "Europe/Berlin", True)),
        (
            {"calendar": {"last": 7, "unit": "week", "tz": "project", "include_current": False}},
            Calendar(7, "week", "Europe/Berlin", False),
        ),
        ({"calendar": {"unit": "month", "tz": "profile"}}, Calendar(1, "month", "profile")),
        ({"calendar": {"unit": "year", "tz": "UTC"}}, Calendar(1, "year", "UTC")),
        (
            {"from": "2026-01-01", "to": "2026-02-01T00:00Z"},
            Absolute(parse_instant("2025-12-31T23:00Z"), parse_instant("2026-02-01T00:00Z")),
        ),
        ({"from": "2026-01-01T00:00Z"}, Absolute(parse_instant("2026-01-01T00:00Z"), None)),
        ({"to": "2026-01-01T00:00Z"}, Absolute(None, parse_instant("2026-01-01T00:00Z"))),
        ({"session": {"gap": "30m"}}, Session(1_800 * SECOND)),
        ({"since": "subscribed"}, Since(EventReference(("subscribed",)))),
        ({"since": {"event": ["b", "a"]}}, Since(EventReference(("a", "b")))),
    ],
)
def test_a_window_is_read(value: dict[str, Any] | str, window: Any) -> None:
    assert read(value) == window


@pytest.mark.parametrize(
    "value",
    ["", "7", "0d", "7 days", "1mo", 7, None, True, [], {}, {"last": 7}, {"last": "0d"}, {"between": ["30d", "90d"]}, {"between": ["30d", "30d"]},
     {"between": ["30d"]}, {"between": "30d"}, {"calendar": {}}, {"calendar": {"unit": "hour"}}, {"calendar": {"unit": "day", "last": 0}},
     {"calendar": {"unit": "day", "last": True}}, {"calendar": {"unit": "day", "last": "7"}}, {"calendar": {"unit": "day", "tz": "Berlin"}},
     {"calendar": {"unit": "day", "include_current": "yes"}}, {"from": "2026-01-01", "to": "2026-01-01"}, {"from": "tomorrow"}, {"from": None, "x": 1},
     {"session": {}}, {"session": {"gap": "0m"}}, {"session": "30m"}, {"since": 3}, {"since": {"where": "a"}}, {"last": "7d", "between": ["2d", "1d"]},
     {"last": "7d", "as": "x"}, {"rolling": "7d"}],
)  # fmt: skip
def test_nothing_else_is_a_window(value: Any) -> None:
    with pytest.raises(ValidationError):
        read(value)


def test_the_suffix_is_the_length_as_it_is_written() -> None:
    assert (read("7d").suffix, read("1w").suffix, read({"last": "24h"}).suffix, read("lifetime").suffix) == (
        "7d",
        "1w",
        "24h",
        "lifetime",
    )
    assert read({"session": {"gap": "30m"}}).suffix is None


def test_equal_lengths_are_one_window_whatever_they_are_called() -> None:
    assert read("7d") == read("1w") and len({read("7d"), read("1w")}) == 1


def test_a_nearly_right_kind_is_proposed() -> None:
    with pytest.raises(ValidationError) as refused:
        read({"calender": {"unit": "day"}})
    assert refused.value.errors()[0]["ctx"]["nearest"] == "calendar"
