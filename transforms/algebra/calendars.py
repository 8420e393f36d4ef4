"""Local dates and where they begin: days, weeks, months, quarters and years of a zone, daylight saving included."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from transforms.algebra.order import BEGINNING, FOREVER, Ints, different

DAY = 86_400_000_000
UNITS = ("day", "week", "month", "quarter", "year")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDINAL = date(1970, 1, 1).toordinal()
_MONDAY = 3  # 1970-01-01 was a Thursday
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def local_days(at: Ints, zone: str) -> Ints:
    """The local date of each instant, in days since 1970-01-01."""
    near = different(at // DAY)
    days = different(np.concatenate((near - 1, near, near + 1)))
    return days[np.searchsorted(day_starts(days, zone), at, "right") - 1]


def day_starts(days: Ints, zone: str) -> Ints:
    """The first instant of each local date; outside of what a date can hold, the beginning or the end of time."""
    distinct = different(days)
    begins = np.array([_begins_at(day, zone) for day in distinct.tolist()], np.int64)
    return begins[np.searchsorted(distinct, days)]


def unit_first(days: Ints, unit: str, ahead: int) -> Ints:
    """The first date of the unit that lies `ahead` units after the one holding each date."""
    if unit == "day":
        return days + ahead
    if unit == "week":
        return days - (days + _MONDAY) % 7 + 7 * ahead
    step = _MONTHS[unit]
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    first = months - months % step + step * ahead
    return first.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


@lru_cache(maxsize=65536)
def _begins_at(day: int, zone: str) -> int:
    """The first instant whose local date is `day` or, where the zone skips that day, a later one."""
    if not 2 < day + _ORDINAL < date.max.toordinal():
        return BEGINNING if day < 0 else FOREVER
    local = datetime.combine(date.fromordinal(day + _ORDINAL), datetime.min.time(), ZoneInfo(zone))
    early, late = sorted((_instant(local), _instant(local.replace(fold=1))))
    if early == late:
        return early
    early -= 1  # a gap or a fold around midnight: bisect for the first instant of the date
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (early, middle) if _day(middle, zone) >= day else (middle, late)
    return late


def _instant(local: datetime) -> int:
    return (local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _day(at: int, zone: str) -> int:
    return (_EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).toordinal() - _ORDINAL
