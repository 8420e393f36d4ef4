"""Ages as step functions: birthdays in the zone valid at T (semantics 5.15)."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from transforms.algebra.calendars import day_starts
from transforms.algebra.claims import ints
from transforms.algebra.order import BEGINNING, FOREVER, Ints, Steps, settle
from transforms.algebra.pieces import meetings, pieces
from transforms.algebra.profiles import MISSING, ProfileColumn

UNBORN = BEGINNING  # the day of birth where none is known


class Lives(NamedTuple):
    """What is known of births over T: within [from_at, to_at) `who` was born on `born_on` and lives in `names[zone]`.

    `born_on` is in days since 1970-01-01, UNBORN where unknown. Sorted by (who, from_at); a subject's cover all time.
    """

    subjects: int
    names: tuple[str, ...]
    who: Ints
    from_at: Ints
    to_at: Ints
    born_on: Ints
    zone: Ints


def lives(birth_date: ProfileColumn, names: tuple[str, ...], zone: Steps) -> Lives:
    """Cross the steps of a date column with those of the zones."""
    born_on = np.append(_days(birth_date.values), UNBORN)  # the last entry stands for MISSING
    births, homes = pieces(birth_date.steps), pieces(zone)
    index, among = meetings(births.who, births.from_at, births.to_at, homes)
    from_at = np.maximum(births.from_at[index], homes.from_at[among])
    to_at = np.minimum(births.to_at[index], homes.to_at[among])
    born = born_on[births.value[index]]
    return Lives(len(zone.initial), names, births.who[index], from_at, to_at, born, homes.value[among].astype(np.int64))


def birthdays(known: Lives, years: int) -> Ints:
    """The instant at which each piece's subject reaches the age, the first of the local date; FOREVER where unknown.

    Who was born on 29 February has birthday on 1 March in common years.
    """
    at = np.full(len(known.who), FOREVER)
    born = known.born_on != UNBORN
    for zone in np.unique(known.zone[born]):
        rows = born & (known.zone == zone)
        at[rows] = day_starts(_anniversary(known.born_on[rows], years), known.names[zone])
    return at


def age_steps(known: Lives, ages: Iterable[int]) -> Steps:
    """The subjects' age over T, exact against comparisons with any of `ages`; MISSING before birth and where unknown.

    The value is the largest age reached of 0, the ages asked for and those that follow them, so it steps nowhere else.
    """
    reached = sorted({0} | {age + more for age in ages for more in (0, 1) if age + more > 0})
    at = np.stack([known.from_at, *(np.maximum(known.from_at, birthdays(known, age)) for age in reached)], axis=1)
    value = np.broadcast_to(np.array([MISSING, *reached]), at.shape)
    who = np.broadcast_to(known.who[:, None], at.shape)
    holds = at < known.to_at[:, None]
    order = np.lexsort((at[holds], who[holds]))  # stable: of the ages reached when a piece begins the last one wins
    initial = np.full(known.subjects, MISSING)
    return settle(who[holds][order], at[holds][order], value[holds][order], initial)


def _days(values: pa.Array) -> Ints:
    return ints(values.cast(pa.date32()).cast(pa.int32()), 0) if len(values) else np.empty(0, np.int64)


def _anniversary(days: Ints, years: int) -> Ints:
    """The date `years` after each: 29 February becomes 1 March where there is none."""
    date = days.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    day_of_month = date - month.astype("datetime64[D]")
    anniversary: Ints = ((month + 12 * years).astype("datetime64[D]") + day_of_month).astype(np.int64)
    return anniversary
