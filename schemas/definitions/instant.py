"""Instants: ISO 8601 text, and dates and naive times local to a zone, as int64 microseconds UTC (semantics 2.1)."""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, PlainValidator, ValidationInfo

from schemas.definitions.refusal import nearest_to, refuse, show
from schemas.definitions.takes import takes_text

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  both sides of the subtraction are naive
MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = ((edge - EPOCH) // MICROSECOND for edge in (datetime.min, datetime.max))  # noqa: DTZ901  naive, as EPOCH is
_DATE = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,18}))?)?"
_ZONE = r"(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
_FORM = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}\s?{_ZONE}?)?")
_EXPECTED = "ISO 8601, as in 2026-01-31, 2026-01-31T09:30 or 2026-01-31T09:30:00Z"
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")


def parse_instant(text: str, timezone: str = "UTC") -> int:
    """The microseconds of an ISO 8601 instant. Raises ValueError.

    A date is its midnight. What names no offset is local to `timezone`: where a clock shows a time twice the earlier
    instant is meant, where it skips a time the instant after the same elapsed time.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise refuse("SEG-0110", "no such instant", expected=_EXPECTED, found=show(text))
    try:
        local = _wall_clock(found)
    except ValueError as error:
        raise refuse("SEG-0110", f"no such instant: {error}", expected=_EXPECTED, found=show(text)) from None
    at = (local - EPOCH) // MICROSECOND - _offset(found["zone"], local, timezone) // MICROSECOND
    if not _FIRST <= at <= _LAST:
        raise refuse("SEG-0110", "no such instant", expected="an instant within the years 1 to 9999 of UTC", found=show(text))
    return at


def has_offset(text: str) -> bool:
    """Whether the text of an instant says its own offset from UTC."""
    found = _FORM.fullmatch(text.strip())
    return found is not None and found["zone"] is not None


def parse_date(text: str) -> int:
    """The days of an ISO 8601 date since 1970-01-01. Raises ValueError."""
    try:
        if re.fullmatch(_DATE, text.strip()) is None:
            raise ValueError
        return (date.fromisoformat(text.strip()) - EPOCH.date()).days
    except ValueError:
        raise refuse("SEG-0110", "no such date", expected="a date, as in 2026-01-31", found=show(text)) from None


def write_instant(at: int) -> str:
    """The instant of so many microseconds as ISO 8601 UTC with six digits, within the years 1 to 9999."""
    return (EPOCH + at * MICROSECOND).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=1_000)
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ValueError with the nearest name."""
    try:
        if _ZONE_NAME.fullmatch(name) is None or len(name) > 64:
            raise ValueError
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        nearest = nearest_to(name, {known.lower() for known in available_timezones()})
        nearest = next((known for known in available_timezones() if known.lower() == nearest), "")
        expected = "an IANA name, as in Europe/Berlin or UTC"
        raise refuse("SEG-0111", "no such time zone", expected=expected, found=show(name), nearest=nearest) from None


def _wall_clock(found: re.Match[str]) -> datetime:
    """The naive time that the text shows; finer digits are cut off towards the past."""
    midnight = datetime.fromisoformat(found["date"])
    if found["hour"] is None:
        return midnight
    fraction = (found["fraction"] or "0").ljust(6, "0")[:6]
    return midnight.replace(
        hour=int(found["hour"]),
        minute=int(found["minute"]),
        second=int(found["second"] or 0),
        microsecond=int(fraction),
    )


def _offset(written: str | None, local: datetime, timezone: str) -> timedelta:
    if written is None:
        return local.replace(tzinfo=zone(timezone), fold=0).utcoffset() or timedelta()
    if written in "Zz":
        return timedelta()
    hours, minutes = int(written[1:3]), int(written[3:].removeprefix(":") or 0)
    if hours > 18 or minutes > 59:
        raise refuse("SEG-0110", "no such offset", expected="at most 18 hours", found=show(written))
    size = timedelta(hours=hours, minutes=minutes)
    return -size if written[0] == "-" else size


def project_timezone(info: ValidationInfo) -> str:
    """The project's zone, from the context of a validation."""
    return str((info.context or {}).get("timezone", "UTC"))


def _read(value: Any, info: ValidationInfo) -> int:
    if not isinstance(value, str):
        raise refuse("SEG-0110", "no such instant", expected=_EXPECTED, found=show(value))
    return parse_instant(value, project_timezone(info))


def _known(name: str) -> str:
    zone(name)
    return name


Instant = Annotated[int, PlainValidator(_read), takes_text("a date or an instant", "^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}")]
"""A field that holds an instant in microseconds; dates and naive times are local to the project's zone."""
Timezone = Annotated[str, AfterValidator(_known), takes_text("a time zone", "^[A-Za-z][A-Za-z0-9_+/-]*$")]
"""A field that holds the IANA name of a zone."""
