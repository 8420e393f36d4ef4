"""The oracle's facts, and its reading of time (semantics 2): instants, durations, zones, calendar units, ages."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]
"""A definition exactly as its YAML reads."""

Truth = bool | None
"""Kleene's three values (3.1); None is unknown."""

BEGINNING = -(10**24)
"""Before every instant."""
FOREVER = 10**24
"""After every instant."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Event:
    """One event as decoded (2.1, 2.8)."""

    source: str
    subject: str
    event_id: str
    event: str
    occurred_at: int
    received_at: int
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """One profile row (6.2). delta: None sets null, an absent key means unchanged; snapshot: absent becomes null."""

    source: str
    subject: str
    valid_from: int
    received_at: int
    columns: Mapping[str, object] = field(default_factory=dict)
    payload: str = "delta"


@dataclass(frozen=True)
class Consent:
    """One row of the ledger (consent.md, "The ledger")."""

    source: str
    subject: str
    event_id: str
    purpose: str
    action: str
    claimed_at: int
    received_at: int
    scope: str = "person"
    purpose_major: int = 1
    channel: str = "*"
    claimed_precision: str = "us"
    expires_at: int | None = None
    payload_kind: str = "delta"
    method: str = "import"
    actor: str = "system"
    retroactive: bool = False
    jurisdiction: str | None = None
    notice_version: str | None = None


@dataclass(frozen=True)
class Link:
    """One link (6.3): from `linked_at` on `from_id` is `to_id`. An empty `to_id` undoes."""

    source: str
    position: str
    from_id: str
    to_id: str
    linked_at: int
    received_at: int


@dataclass(frozen=True)
class Score:
    """One published score (5.14): a value or a label of a model, a state from `valid_from` on."""

    source: str
    subject: str
    model: str
    version: str
    valid_from: int
    received_at: int
    value: float | Decimal | None = None
    label: str | None = None


@dataclass(frozen=True)
class World:
    """Everything `member` is a function of, but for the subject, T and K."""

    project: Json
    events: tuple[Event, ...] = ()
    profiles: tuple[Profile, ...] = ()
    consents: tuple[Consent, ...] = ()
    links: tuple[Link, ...] = ()
    scores: tuple[Score, ...] = ()


# --- Durations and instants -------------------------------------------------------------------------------------------

_DURATION = re.compile(r"(\d+)([smhdw])")
_UNIT = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}


def duration(text: object) -> int:
    """`90s 45m 24h 7d 2w` in microseconds; no other unit. `1d` is 24 hours, always (2.2)."""
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    return int(match[1]) * _UNIT[match[2]]


def to_instant(moment: datetime) -> int:
    """An aware datetime as UTC microseconds."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def local(instant: int, zone: ZoneInfo) -> datetime:
    """What the clock on the wall of `zone` shows."""
    return (EPOCH + timedelta(microseconds=instant)).astimezone(zone)


def local_date(instant: int, zone: ZoneInfo) -> date:
    """The date on the wall of `zone`."""
    return local(instant, zone).date()


def read_instant(value: object, zone: ZoneInfo) -> int:
    """An instant in a definition: a date or a naive instant is local to `zone` (section 2, `from: / to:`).

    A naive time in a fold is the earlier instant, in a gap the instant after the same elapsed time (2.1): fold=0.
    """
    if isinstance(value, str):
        text = value.strip()
        value = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else datetime.fromisoformat(text)
    if isinstance(value, datetime):
        return to_instant(value if value.tzinfo else value.replace(tzinfo=zone, fold=0))
    if isinstance(value, date):
        return start_of_date(value, zone)
    raise ValueError(f"not an instant: {value!r}")


@lru_cache(maxsize=512)
def zone_named(name: object) -> ZoneInfo | None:
    """The IANA zone of that name, or None where there is none (section 2: null or unknown means the project's)."""
    if not isinstance(name, str) or not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


# --- Calendar units ---------------------------------------------------------------------------------------------------


def _offset(instant: int, zone: ZoneInfo) -> int:
    shift = local(instant, zone).utcoffset()
    assert shift is not None
    return shift // timedelta(microseconds=1)


def _change_between(low: int, high: int, zone: ZoneInfo) -> int:
    """The first instant in (low, high] with another offset than low's, given one change between them."""
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high


@lru_cache(maxsize=65536)
def start_of_date(day: date, zone: ZoneInfo) -> int:
    """The first instant whose local date is `day` (or later, where the zone skipped that day altogether)."""
    midnight = (day - date(1970, 1, 1)).days * DAY
    samples = [midnight + hours * HOUR for hours in range(-30, 31)]
    candidates = {midnight - _offset(sample, zone) for sample in samples}
    for low, high in pairwise(samples):
        if _offset(low, zone) != _offset(high, zone):
            candidates.add(_change_between(low, high, zone))
    starts = [c for c in candidates if local_date(c, zone) >= day and local_date(c - 1, zone) < day]
    return min(starts)


def first_date(day: date, unit: str) -> date:
    """The first date of the unit that holds `day`; a week begins on Monday."""
    if unit == "day":
        return day
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if unit == "year":
        return day.replace(month=1, day=1)
    raise ValueError(f"not a calendar unit: {unit!r}")


def add_units(first: date, unit: str, n: int) -> date:
    """The first date of the n-th unit after the one that begins on `first` (before it, where n is negative)."""
    if unit == "day":
        return first + timedelta(days=n)
    if unit == "week":
        return first + timedelta(days=7 * n)
    months = first.year * 12 + first.month - 1 + n * {"month": 1, "quarter": 3, "year": 12}[unit]
    return date(months // 12, months % 12 + 1, 1)


def own_unit(instant: int, unit: str, zone: ZoneInfo) -> date:
    """The first date of the unit that holds the instant: the latest unit that has begun."""
    first = first_date(local_date(instant, zone), unit)
    following = add_units(first, unit, 1)
    return following if start_of_date(following, zone) <= instant else first


def unit_start(instant: int, unit: str, zone: ZoneInfo, n: int) -> int:
    """The start of the n-th unit after the instant's own."""
    return start_of_date(add_units(own_unit(instant, unit, zone), unit, n), zone)


# --- Ages -------------------------------------------------------------------------------------------------------------


def age_on(birth: date, today: date) -> int | None:
    """Full years; 29 February counts from 1 March in common years; missing before birth (5.15)."""
    if today < birth:
        return None
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def birthday(birth: date, years: int) -> date:
    """The date from which the age is `years`."""
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)


def as_date(value: object) -> date | None:
    """A date column's value."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return date.fromisoformat(value) if isinstance(value, str) else None


# --- Values -----------------------------------------------------------------------------------------------------------


def round_half_away(value: Decimal, digits: int) -> Decimal:
    """Half away from zero (2.8, 3.4), exactly."""
    with localcontext() as context:
        context.prec = 200
        return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


_DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)")


def typed(value: object, declared: str) -> object:
    """A value of its declared type: more decimal digits than declared round half away from zero (2.8)."""
    match = _DECIMAL.fullmatch(declared.strip())
    if value is None or match is None or isinstance(value, bool):
        return value
    return round_half_away(value if isinstance(value, Decimal) else Decimal(str(value)), int(match[2]))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def record_hash(record: Mapping[str, object]) -> str:
    """SHA-256 of the canonical JSON (2.6): keys sorted, absent keys null, instants as us, decimals as text."""
    plain = {key: _plain(value) for key, value in record.items()}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def score_hash(score: Score) -> str:
    """The content of a score: everything but where it came from and when it was received."""
    content = dict(vars(score))
    del content["source"], content["received_at"]
    return record_hash(content)


# --- Kleene's logic (3.1) ---------------------------------------------------------------------------------------------


def kleene_not(value: Truth) -> Truth:
    """Not unknown = unknown."""
    return None if value is None else not value


def kleene_all(values: list[Truth]) -> Truth:
    """False and x = false; otherwise unknown if any is; nothing at all is true."""
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def kleene_any(values: list[Truth]) -> Truth:
    """True or x = true; otherwise unknown if any is; nothing at all is false."""
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False
