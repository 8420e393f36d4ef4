"""Grants that a parent would have had to give: made below the age of consent of the country (consent.md, "Age")."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.age_of_consent import ages_of_consent
from transforms.algebra.ages import UNBORN, Lives, birthdays
from transforms.algebra.claims import Action, codes, first_instants
from transforms.algebra.ledger import Ledger
from transforms.algebra.order import FOREVER, Flags, Ints, search
from transforms.algebra.pieces import Pieces, pieces
from transforms.algebra.profiles import MISSING, ProfileColumn


def minors(entries: Ledger, known: Lives, country: ProfileColumn) -> Flags:
    """Whether each row of the ledger is a grant of a minor without `parental`.

    The date of birth, the zone and the country are the profile's valid at `effective_at`; where none is known then, the
    next that is. A birth that stays unknown, or a country that the table does not list, makes nobody a minor here.
    """
    grants = np.flatnonzero((entries.rows.action == Action.GRANT) & ~entries.rows.parental)
    who, at = entries.who[grants], first_instants(entries.rows)[grants]
    life = _then_or_next(Pieces(known.who, known.from_at, known.to_at, known.born_on), UNBORN, who, at)
    homes = pieces(country.steps)
    home = homes.value[_then_or_next(homes, MISSING, who, at)]
    names = pc.fill_null(country.values.cast(pa.string()), "").take(pa.array(home, mask=home == MISSING))
    flags = np.zeros(len(entries.who), np.bool_)
    flags[grants] = _come_of_age(known, life, _age_asked(names, at)) > at
    return flags


def _then_or_next(held: Pieces, unknown: int, who: Ints, at: Ints) -> Ints:
    """The piece in which each (who, at) lies or, where its value is unknown, the next of the same `who` that is not."""
    index = search(held.who, held.from_at, who, at, "right") - 1
    tells = np.where(held.value != unknown, np.arange(len(held.value)), len(held.value))
    following = np.minimum.accumulate(tells[::-1])[::-1][index]
    told = following < len(held.value)
    told[told] = held.who[following[told]] == who[told]
    return np.where(told, following, index)


def _age_asked(countries: pa.Array, at: Ints) -> Ints:
    """The age of consent in each country at each instant, 0 where the table has none."""
    table = ages_of_consent()
    listed = sorted({row.country for row in table})
    code, age = codes(countries, listed), np.zeros(len(at), np.int64)
    for row in table:
        age[(code == listed.index(row.country)) & (at >= row.from_at)] = row.age
    return age


def _come_of_age(known: Lives, life: Ints, age: Ints) -> Ints:
    """When each life reaches the age asked; the beginning where none is asked or the birth is unknown."""
    at = np.full(len(life), -FOREVER)
    lives = Lives(known.subjects, known.names, *(column[life] for column in known[2:]))
    for years in np.unique(age[age > 0]):
        asked = (age == years) & (lives.born_on != UNBORN)
        among = Lives(lives.subjects, lives.names, *(column[asked] for column in lives[2:]))
        at[asked] = birthdays(among, int(years))
    return at
