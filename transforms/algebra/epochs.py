"""Epochs of one purpose: which events count when, by grant, restriction, age and jurisdiction (semantics 6.1)."""

from functools import cached_property

import numpy as np
import pyarrow as pa

from schemas.definitions.project import Project
from schemas.definitions.purpose import Purpose
from transforms.algebra.ages import Lives, birthdays, lives
from transforms.algebra.claims import codes
from transforms.algebra.ledger import ledger
from transforms.algebra.minors import minors
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, Steps, constant, firsts, settle
from transforms.algebra.pieces import Pieces, Stints, meetings, pieces
from transforms.algebra.profiles import Profiles, zones
from transforms.algebra.standing import BASES, CONSENT, Standing, standing


class Grounds:
    """What verdicts rest on: the ledger and the profiles of `subjects`, read once for all purposes.

    Args:
      project: the registry of purposes, the sources' clocks, the zone.
      consents: the rows seen, `schemas.consent.SCHEMA`; conflicting bodies of a key all of them.
      profiles: the rows seen, `schemas.profile.SCHEMA` with the declared columns.
      subjects: string; their order numbers them.
    """

    also: "Grounds | None" = None
    """Other grounds on which what was granted must hold as well."""

    def __init__(self, project: Project, consents: pa.Table, profiles: pa.Table, subjects: pa.Array) -> None:
        self.project, self.count = project, len(subjects)
        self.registered = tuple(project.purposes)
        trusted = [name for name, source in project.sources.items() if source.clock == "trusted"]
        self.ledger = ledger(consents, subjects, self.registered, trusted)
        self._profiles, self._subjects = profiles, subjects
        self._standings: dict[str, dict[int, Standing]] = {}

    @cached_property
    def profiles(self) -> Profiles:
        """The subjects' profiles."""
        return Profiles(self._profiles, self._subjects, declared(self.project))

    @cached_property
    def lives(self) -> Lives:
        """The subjects' dates of birth and zones."""
        names, zone = zones(self.profiles.column("timezone"), self.project.timezone)
        return lives(self.profiles.column("birth_date"), names, zone)

    def bases(self, purpose: Purpose) -> Steps:
        """Each subject's basis over time, an index of BASES: by the profile's country, else the strictest."""
        if not purpose.asks_country:
            return constant(np.full(self.count, BASES.index(next(iter(purpose.basis.values())))))
        country = self.profiles.column("country")
        code = np.append(_bases_of(country.values, purpose), CONSENT)  # the last entry stands for none
        return settle(country.steps.who, country.steps.at, code[country.steps.value], code[country.steps.initial])

    def standings(self, purpose: Purpose) -> dict[int, Standing]:
        """The machine run on each basis (an index of BASES) that subjects of the purpose have at some time."""
        if purpose.id not in self._standings:
            bases = self.bases(purpose)
            self._standings[purpose.id] = {basis: self.run(purpose, basis, bases) for basis in _occurring(bases)}
        return self._standings[purpose.id]

    def run(self, purpose: Purpose, basis: int, bases: Steps, channel: int = 0) -> Standing:
        """Run the machine on one basis and channel, by the subjects' bases over time."""
        index = self.registered.index(purpose.id)
        return standing(self.ledger, purpose, index, basis, bases, self.vain(purpose), channel)

    def vain(self, purpose: Purpose) -> Flags:
        """Rows of the ledger that cannot grant this purpose: where it asks for an age, the grants of minors."""
        return np.zeros(len(self.ledger.who), np.bool_) if purpose.min_age is None else self._minors

    @cached_property
    def _minors(self) -> Flags:
        return minors(self.ledger, self.lives, self.profiles.column("country"))


def declared(project: Project) -> dict[str, set[str]]:
    """The columns that each source declares, its own and those it takes from lookups."""
    return {
        name: {*source.properties, *(column for lookup in source.lookups.values() for column in lookup.take)}
        for name, source in project.sources.items()
    }


def epochs(grounds: Grounds, purpose: Purpose) -> Stints:
    """The stints of one purpose, by (subject, use_from): its epochs within all that else is asked of a use."""
    stints = _granted(grounds, purpose)
    if grounds.also is not None and purpose.asks_profiles:
        stints = cross(stints, _granted(grounds.also, purpose))
    if purpose.min_age is not None:
        stints = cross(stints, _of_age(grounds.lives, purpose.min_age))
    return stints


def _granted(grounds: Grounds, purpose: Purpose) -> Stints:
    """The epochs, while no restriction lies on them."""
    judged = [*grounds.standings(purpose).values()]
    stints = _in_order([_open(each) for each in judged])
    if any(each.restricted.any() for each in judged):
        stints = cross(stints, _unrestricted(judged[0], grounds.count))  # restrictions are the same on every basis
    return stints


def cross(left: Stints, right: Stints) -> Stints:
    """Where both are open, the events that count in both."""
    among = Pieces(right.subject, right.use_from, right.use_to, right.subject)
    i, j = meetings(left.subject, left.use_from, left.use_to, among)
    return Stints(
        left.subject[i],
        np.maximum(left.event_from[i], right.event_from[j]),
        np.minimum(left.event_to[i], right.event_to[j]),
        np.maximum(left.use_from[i], right.use_from[j]),
        np.minimum(left.use_to[i], right.use_to[j]),
    )


def merged(stints: Stints) -> Stints:
    """Neighbours with equal events and touching uses made one."""
    same = ~firsts(stints.subject, stints.event_from, stints.event_to)
    same[1:] &= stints.use_from[1:] == stints.use_to[:-1]
    ends = np.append(~same[1:], True)[: len(same)]
    return Stints._make(column[~same] for column in stints)._replace(use_to=stints.use_to[ends])


def _open(judged: Standing) -> Stints:
    valid = judged.epochs.take(~judged.epochs.void)
    return Stints(valid.who, valid.begin, valid.end, valid.begin, valid.end)


def _in_order(parts: list[Stints]) -> Stints:
    """Stints of several bases, disjoint in use, by (subject, use_from)."""
    if len(parts) == 1:
        return parts[0]
    stints = Stints._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
    index = np.lexsort((stints.use_from, stints.subject))
    return Stints._make(column[index] for column in stints)


def _unrestricted(judged: Standing, count: int) -> Stints:
    """The uses that no restriction lies on; it says nothing about events."""
    steps = settle(judged.who, judged.at, judged.restricted.astype(np.int8), np.zeros(count, np.int8))
    free = pieces(steps)
    free = free.take(free.value == 0)
    begin, end = np.full_like(free.who, BEGINNING), np.full_like(free.who, FOREVER)
    return Stints(free.who, begin, end, free.from_at, free.to_at)


def _of_age(known: Lives, years: int) -> Stints:
    """Uses and events from the birthday on, by the date of birth and the zone valid at the use."""
    birthday = birthdays(known, years)
    use_from = np.maximum(known.from_at, birthday)
    stints = Stints(known.who, birthday, np.full_like(birthday, FOREVER), use_from, known.to_at)
    return Stints._make(column[use_from < known.to_at] for column in stints)


def _bases_of(countries: pa.Array, purpose: Purpose) -> Ints:
    """The basis in each country: its own, else the default, else (as for an empty name) the strictest."""
    own = {name: BASES.index(basis) for name, basis in purpose.basis.items()}
    own = {"": min(own.values())} | own
    default = own.pop("default", own[""])
    return np.append(np.array([*own.values()], np.int64), default)[codes(countries.cast(pa.string()), own)]


def _occurring(bases: Steps) -> list[int]:
    found = [basis for basis in range(len(BASES)) if (bases.initial == basis).any() or (bases.value == basis).any()]
    return found or [CONSENT]  # of no subjects
