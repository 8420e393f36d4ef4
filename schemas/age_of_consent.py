"""From which age a person's own consent holds, by country: a dated table, shipped as data."""

from csv import DictReader
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

REVIEWED_ON = date(2026, 11, 24)
"""When the table was last read against the laws. It is engineering's reading of them, not legal advice."""

_TABLE = Path(__file__).with_name("ages_of_consent.csv")


class AgeOfConsent(NamedTuple):
    """In `country` (ISO 3166-1 alpha-2) the age is `age` years from `from_at` (UTC microseconds) on."""

    country: str
    from_at: int
    age: int


@cache
def ages_of_consent() -> tuple[AgeOfConsent, ...]:
    """The table in order of country and date; a later row of a country replaces an earlier one.

    Source: Art. 8(1) GDPR and the acts that lower its sixteen years in the countries of the EEA, the United Kingdom's
    Data Protection Act 2018, s. 9, and the United States' 16 CFR 312.
    """
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = [AgeOfConsent(row["country"], _midnight(row["from"]), int(row["age"])) for row in DictReader(file)]
    return tuple(sorted(rows))


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000
