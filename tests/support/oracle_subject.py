"""Whom a question is about: the ids that are one subject at T, their events, and whose consent holds (semantics 6).

`Known` is a world at one K, `Person` one id of it while one forest of links holds, `View` one question: a person,
purposes and a T.
"""



from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.support.oracle_consent import (
    RESTRICTIVE,
    Gate,
    Purpose,
    gate_of,
    permits_at,
    restricts_at,
)
from tests.support.oracle_expression import matches
from tests.support.oracle_facts import Definitions, Facts, Kept, names
from tests.support.oracle_identity import MAX_LINKS, Forest, forests
from tests.support.oracle_model import FOREVER, Consent, Link, World

__all__ = ["Kept", "Known", "Person", "View", "names", "refers"]


class Known(Definitions):
    """A world at one K, with the forests that its links make."""

    def __init__(self, world: World, K: int) -> None:
        super().__init__(world, K)
        self._people: dict[tuple[str, int], Person] = {}
        self._facts: dict[str, Facts] = {}

    def person(self, subject: str, T: int = FOREVER) -> Person:
        """One id as the links with `linked_at` <= T have it; of an unknown one nothing is known."""
        return self.person_in(subject, sum(forest.at <= T for forest in self.forests) - 1)

    def person_in(self, subject: str, turn: int) -> Person:
        """One id in one of the forests."""
        if (subject, turn) not in self._people:
            self._people[subject, turn] = Person(self, subject, turn)
        return self._people[subject, turn]

    def facts(self, subject: str) -> Facts:
        """What is known of one id, alone."""
        return self._facts.setdefault(subject, Facts(self, subject))

    # --- Identity (6.3)

    @cached_property
    def forests(self) -> list[Forest]:
        """What the links seen at K make. What is refused depends on those seen, not on the order in which they came."""
        seen = [link for link in self.world.links if link.received_at <= self.K]
        return forests(seen, self._refuses, lambda link: self._said(link, "max_links", MAX_LINKS))

    def _said(self, link: Link, key: str, default: Any) -> Any:
        return self.sources.get(link.source, {}).get(key, default)

    def _refuses(self, link: Link, before: Forest) -> bool:
        """Blocked values, links of nobody, and edges to an erased id."""
        blocked = self._said(link, "blocked", ())
        if not link.from_id or link.from_id in blocked or link.to_id in blocked:
            return True
        return bool(link.to_id) and self._erased(link.to_id, link.linked_at, before)

    def _erased(self, subject: str, at: int, forest: Forest) -> bool:
        """consent.md, "Identity": an edge to an erased id is refused.

        Reading: an id is erased once an ERASE of channel `*` has acted, for whichever purpose: its own row, or one of an
        id that it is one subject with. The instant of the link decides, not that of its receipt. An edge *from* an erased
        id is accepted, and its ERASE is then the survivor's too: the law refuses the other direction only.
        """
        rows = [row for one in forest.tree(subject) for row in self.facts(one).ledger]
        erased = [row for row in rows if row.action == "ERASE" and row.channel == "*"]
        return any(min(restricts_at(row, row.source in self.trusted)) <= at for row in erased)


class Person(Facts):
    """One id while one forest holds: a subject of its own, or merged into another."""

    known: Known

    def __init__(self, known: Known, subject: str, turn: int) -> None:
        super().__init__(known, subject)
        self.turn = turn
        self.forest = known.forests[turn]
        self._gates: dict[tuple[str, str, str], Gate] = {}
        self._counting: OrderedDict[tuple[tuple[str, ...], int], list[Kept]] = OrderedDict()

    @property
    def merged(self) -> bool:
        """6.3: the merged id is a member of nothing from `linked_at`."""
        return self.subject in self.forest.parents

    @property
    def survivor(self) -> Person:
        """The subject that the links lead to."""
        return self.known.person_in(self.forest.root(self.subject), self.turn)

    @property
    def people(self) -> list[Person]:
        """Every id of the tree, each with its own facts."""
        return [self.known.person_in(one, self.turn) for one in sorted(self.forest.tree(self.subject))]

    # --- Events

    @cached_property
    def events(self) -> list[Kept]:
        """The timeline: of all ids of the subject, each de-duplicated by itself; a merged id has none left."""
        if self.merged:
            return []
        return sorted((event for one in self.people for event in one.collected), key=lambda event: event.order)

    # --- Consent

    def granting(self, purpose: Purpose, judge: Facts) -> list[Consent]:
        """The ledger's rows; without the grants of minors, who need `parental`, where `min_age` is set."""
        if purpose.min_age is None:
            return self.ledger
        return [row for row in self.ledger if not judge.granted_as_a_minor(row)]

    def in_vain(self, purpose: Purpose, T: int, judge: Facts) -> bool:
        """Whether a minor's grant of the purpose came to nothing by T."""
        rows = [row for row in self.ledger if row not in self.granting(purpose, judge)]
        return any(row.purpose == purpose.name and row.channel == "*" and permits_at(row) <= T for row in rows)

    @cached_property
    def flowing(self) -> list[Consent]:
        """6.3: restrictive rows of either id are rows of both from then on; grants never cross, nor what clears.

        Reading: each acts at its own instants, which are "computed once and stored" (consent.md): a grant of this id that is
        later than the row opens anew, as if one person had said both. Undone, it is as though it had never flowed.
        """
        others = [one for one in self.people if one.subject != self.subject]
        return [row for other in others for row in other.ledger if row.action in RESTRICTIVE]

    def gate(self, purpose: str, channel: str = "*", judge: Facts | None = None) -> Gate:
        """The epochs and states of one purpose and channel: this id's rows and those that flow to it.

        `judge` has the profile by which the jurisdiction and the age of who grants are told: this id's, if no other.
        """
        judge = judge or self
        key = (purpose, channel, judge.subject)
        if key not in self._gates:
            definition = self.known.purposes[purpose]
            rows, bases = self.granting(definition, judge), judge.bases(definition)
            self._gates[key] = gate_of(definition, rows, channel, bases, self.known.trusted, self.flowing)
        return self._gates[key]

    @property
    def judges(self) -> list[Person]:
        """Whose profiles tell the jurisdiction, and the age of who grants, for what this id collected.

        Reading: 6.3 says "the profile is the survivor's" and "one epoch of the id that collected it". An epoch must hold
        by the id's own profile, else a merge would make usable what was not (nothing is laundered), and by the survivor's.
        """
        return [self, self.survivor] if self.merged else [self]

    def gates(self, purpose: str) -> list[Gate]:
        """The gates that must all hold for what this id collected."""
        return [self.gate(purpose, judge=judge) for judge in self.judges]

    def open(self, purpose: str, T: int) -> bool:
        """Whether the purpose is open at T; for a merged id, of whom nobody is left to ask, never."""
        if self.merged:
            return False
        return self.gate(purpose).open_at(T) and self.age_suffices(self.known.purposes[purpose], T, T)

    def counts(self, purposes: tuple[str, ...], t: int, T: int, collected_by: str | None = None) -> bool:
        """6.1: one epoch of each purpose contains t and T, within `max_lookback`; none before its time (2.4).

        6.3: an epoch of the id that collected it, and the survivor's purposes are open at T.
        """
        collector = self.known.person_in(collected_by or self.subject, self.turn)
        return t <= T and all(self._counts_for(purpose, collector, t, T) for purpose in purposes)

    def _counts_for(self, name: str, collector: Person, t: int, T: int) -> bool:
        purpose = self.known.purposes[name]
        if purpose.max_lookback is not None and not T - purpose.max_lookback < t:
            return False
        # The ages at t and at T are by the survivor's profile, whichever id collected the event.
        return (
            all(gate.both(t, T) for gate in collector.gates(name))
            and self.open(name, T)
            and self.age_suffices(purpose, t, T)
        )

    def counting(self, purposes: tuple[str, ...], T: int) -> list[Kept]:
        """The events that count at T, in the order of 2.5."""
        key = (purposes, T)
        if key not in self._counting:
            self._counting[key] = [e for e in self.events if self.counts(purposes, e.at, T, e.collected_by)]
            if len(self._counting) > 64:
                self._counting.popitem(last=False)
        return self._counting[key]

    # --- Population (3.3)

    @cached_property
    def first_fact(self) -> int | None:
        """The first of its facts. A link is one of both its ids at `linked_at`; a refused one is none.

        Reading: nor is one that a larger `to_id` of the same instant kept from acting, as with what loses in the ledger.
        """
        links = [link for forest in self.known.forests for link in forest.came]
        linked = [link.linked_at for link in links if self.subject in (link.from_id, link.to_id)]
        return min([*self.facts_at, *linked], default=None)


@dataclass(frozen=True)
class View:
    """One question: this person, for these purposes, at T."""

    person: Person
    purposes: tuple[str, ...]
    T: int

    @property
    def known(self) -> Known:
        """The world at K."""
        return self.person.known

    def events(self) -> list[Kept]:
        """The events that count at T, in the order of 2.5."""
        return self.person.counting(self.purposes, self.T)

    def matching(self, reference: object) -> list[Kept]:
        """The counting events that an event reference means."""
        return [event for event in self.events() if refers(reference, event)]

    def between(self, events: list[Kept], low: int, high: int) -> list[Kept]:
        """The events in (low, high]."""
        return [event for event in events if low < event.at <= high]


def refers(reference: Any, event: Kept) -> bool:
    """An event reference is a name, or `{event: NAME|[NAMES]|any, where: "SQL"}`."""
    if isinstance(reference, str):
        return reference in ("any", event.event)
    if isinstance(reference, list):
        return any(refers(one, event) for one in reference)
    named = reference.get("event", "any")
    return refers(named, event) and matches(reference.get("where"), event.row)
