"""Durations: `90s 45m 24h 7d 2w` as int64 microseconds. A day is 24 hours, always."""

import re
from typing import Annotated, Any

from pydantic import PlainValidator

from schemas.definitions.refusal import refuse, show
from schemas.definitions.takes import takes_text

SECOND = 1_000_000
UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND, "d": 86_400 * SECOND, "w": 7 * 86_400 * SECOND}
LONGEST = 400_000 * UNITS["d"]
"""A thousand years: added to any instant of a calendar it stays within 64 bits."""

_MONTHS = re.compile(r"\s*[0-9.]*\s*(?:mon?|months?|q|quarters?|y|yrs?|years?)\s*", re.IGNORECASE)
_FORM = re.compile(r"([0-9]{1,12})([smhdw])")
_EXPECTED = "a number and one of s m h d w, as in 90s 45m 24h 7d 2w"
_NOT_EVEN = f"{_EXPECTED}; months and years differ in length: say how many days"


def parse_duration(text: str) -> int:
    """The microseconds of a duration as it is written. Raises ValueError."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise refuse("SEG-0109", "no such duration", expected=expected_for(text), found=show(text))
    length = int(found[1]) * UNITS[found[2]]
    if length > LONGEST:
        raise refuse("SEG-0109", "too long a duration", expected="at most 400000d", found=show(text))
    return length


def expected_for(text: str) -> str:
    """What to write instead of a text that is no duration."""
    return _NOT_EVEN if _MONTHS.fullmatch(text) else _EXPECTED


def write_duration(length: int) -> str:
    """The shortest text of so many microseconds: 604800000000 is `7d`."""
    for unit in ("d", "h", "m", "s"):
        if length % UNITS[unit] == 0:
            return f"{length // UNITS[unit]}{unit}"
    return f"{length / SECOND:.6f}s"


def _read_or_zero(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str):
        raise refuse("SEG-0109", "no such duration", expected=_EXPECTED, found=show(value))
    return parse_duration(value)


def _read(value: Any) -> int:
    length = _read_or_zero(value)
    if length == 0:
        raise refuse("SEG-0109", "no duration at all", expected="more than nothing", found=show(value))
    return length


LENGTH = "a length of time"
"""Marks the fields that hold one: the number itself does not tell."""
SOME = "0*[1-9][0-9]{0,11}[smhdw]"
"""What a duration looks like that is more than nothing."""
Duration = Annotated[int, PlainValidator(_read), takes_text("a duration", f"^{SOME}$"), LENGTH]
"""A field that holds a positive duration in microseconds."""
DurationOrZero = Annotated[int, PlainValidator(_read_or_zero), takes_text("a duration or 0d", "^[0-9]{1,12}[smhdw]$"), LENGTH]
"""A field that holds a duration in microseconds that may be nothing."""
