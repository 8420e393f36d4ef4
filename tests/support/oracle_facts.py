"""What is known at K: the definitions read once, and the facts of each id: events, profile, ledger, scores (semantics 2, 6).

`Definitions` is a world at one K, `Facts` what it says of one id, whoever that id belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from schemas.age_of_consent import ages_of_consent
from tests.support.oracle_consent import PERMISSIVE, Purpose, accepted, permits_at
from tests.support.oracle_model import (
    BEGINNING,
    MINUTE,
    Consent,
    Event,
    Json,
    Profile,
    Score,
    World,
    age_on,
    as_date,
    birthday,
    duration,
    local_date,
    read_instant,
    record_hash,
    score_hash,
    typed,
    zone_named,
)


def names(value: object) -> tuple[str, ...]:
    """`purpose: NAME or [NAMES]`."""
    return (value,) if isinstance(value, str) else tuple(str(v) for v in value) if isinstance(value, list) else ()


def read_purpose(raw: Json, zone: ZoneInfo) -> Purpose:
    """One entry of purposes.yaml."""
    basis = raw.get("basis", "consent")
    versions = [
        (read_instant(v["introduced_at"], zone) if v.get("introduced_at") is not None else BEGINNING, int(v["major"]))
        for v in raw.get("versions") or [{"major": 1}]
    ]

    def optional(key: str) -> int | None:
        return duration(raw[key]) if raw.get(key) is not None else None

    return Purpose(
        name=raw["id"],
        bases=basis if isinstance(basis, dict) else {"default": basis},
        versions=tuple(sorted(versions)),
        max_grant_age=optional("max_grant_age"),
        max_lookback=optional("max_lookback"),
        min_age=raw.get("min_age"),
    )


class Definitions:
    """A world at one K. A fact is seen iff `received_at` <= K (2.4)."""

    def __init__(self, world: World, K: int) -> None:
        self.world = world
        self.K = K
        self.project = world.project
        self.sources: dict[str, Json] = world.project.get("sources") or {}
        zone = zone_named(world.project.get("timezone") or "UTC")
        assert zone is not None, "the project's timezone is not a zone"
        self.zone = zone
        self.segments: dict[str, Json] = {s["segment"]: s for s in world.project.get("segments") or []}
        self.groups: dict[str, Json] = {g["features"]: g for g in world.project.get("features") or []}
        purposes = [read_purpose(raw, zone) for raw in world.project.get("purposes") or []]
        self.purposes = {purpose.name: purpose for purpose in purposes}
        self.trusted = frozenset(name for name, s in self.sources.items() if s.get("clock") == "trusted")

    def declared(self, source: str) -> dict[str, str] | None:
        """The properties that a source declares, with their types."""
        properties = self.sources.get(source, {}).get("properties")
        if properties is None:
            return None
        return {name: p if isinstance(p, str) else p["type"] for name, p in properties.items()}

    # --- Events (2.3, 2.6, 2.8)

    def decoded(self, event: Event) -> dict[str, object]:
        """Declared properties only; a key that the record lacks is null (2.8)."""
        declared = self.declared(event.source)
        if declared is None:
            return dict(event.properties)
        return {name: typed(event.properties.get(name), kind) for name, kind in declared.items()}

    def set_aside(self, event: Event) -> bool:
        """2.3: too far ahead of its receipt, or late where the source sets late events aside."""
        source = self.sources.get(event.source, {})
        skew = duration(source["max_future_skew"]) if source.get("max_future_skew") else 5 * MINUTE
        if event.occurred_at > event.received_at + skew:
            return True
        if not source.get("allowed_lateness") or source.get("on_late", "correct") == "correct":
            return False
        return event.received_at - event.occurred_at > duration(source["allowed_lateness"])


@dataclass(frozen=True)
class Kept:
    """An event that counts once: what is left after 2.3 and 2.6."""

    source: str
    event_id: str
    event: str
    at: int
    row: dict[str, object]
    collected_by: str

    @property
    def order(self) -> tuple[int, bytes, bytes, bytes]:
        """2.5. Reading: where two ids of one subject tie in all of it, the id that collected the event decides."""
        return (self.at, self.event_id.encode(), self.source.encode(), self.collected_by.encode())


class Facts:
    """What is known at K of one id, alone."""

    def __init__(self, known: Definitions, subject: str) -> None:
        self.known = known
        self.subject = subject

    # --- Events

    @cached_property
    def collected(self) -> list[Kept]:
        """2.6: one (source, subject, event_id) counts once: the smallest `received_at`, then the smallest hash."""
        chosen: dict[tuple[str, str], tuple[tuple[int, str], Kept]] = {}
        for event in self.known.world.events:
            if event.subject != self.subject or event.received_at > self.known.K or self.known.set_aside(event):
                continue
            properties = self.known.decoded(event)
            content = {
                **properties,
                "event": event.event,
                "event_id": event.event_id,
                "occurred_at": event.occurred_at,
                "subject": event.subject,
            }
            rank = (event.received_at, record_hash(content))
            key = (event.source, event.event_id)
            if key not in chosen or rank < chosen[key][0]:
                row = {**properties, "event": event.event, "source": event.source}
                chosen[key] = (rank, Kept(event.source, event.event_id, event.event, event.occurred_at, row, self.subject))
        return sorted((kept for _, kept in chosen.values()), key=lambda kept: kept.order)

    # --- Profile (6.2)

    @cached_property
    def profile_rows(self) -> list[Profile]:
        """Ordered by (`valid_from`, `received_at`, content hash); the last wins."""
        rows = [p for p in self.known.world.profiles if p.subject == self.subject and p.received_at <= self.known.K]

        def rank(row: Profile) -> tuple[int, int, str]:
            content = {**self._columns(row), "subject": row.subject, "valid_from": row.valid_from}
            return (row.valid_from, row.received_at, record_hash(content))

        return sorted(rows, key=rank)

    def _columns(self, row: Profile) -> dict[str, object]:
        declared = self.known.declared(row.source)
        columns = dict(row.columns)
        if declared is not None:
            columns = {name: typed(value, declared[name]) for name, value in columns.items() if name in declared}
        return columns

    @cached_property
    def profile_states(self) -> list[tuple[int, dict[str, object]]]:
        """What holds from each instant. delta: column by column; snapshot: the source's absent columns become null."""
        states: list[tuple[int, dict[str, object]]] = []
        state: dict[str, object] = {}
        for row in self.profile_rows:
            state = dict(state)
            if self._is_snapshot(row):
                declared = self.known.declared(row.source)
                for column in declared if declared is not None else list(state):
                    state[column] = None
            state.update(self._columns(row))
            if states and states[-1][0] == row.valid_from:
                del states[-1]  # it held at no instant
            states.append((row.valid_from, state))
        return states

    def _is_snapshot(self, row: Profile) -> bool:
        return row.payload == "snapshot" or self.known.sources.get(row.source, {}).get("payload") == "snapshot"

    def profile_at(self, instant: int) -> dict[str, object]:
        """The profile valid at the instant; empty before the first row."""
        found: dict[str, object] = {}
        for valid_from, state in self.profile_states:
            if valid_from > instant:
                break
            found = state
        return found

    def zone_at(self, tz: object, instant: int) -> ZoneInfo:
        """Section 2: an IANA name, `project` (default), or `profile`: the subject's then, else the project's."""
        if tz in (None, "project"):
            return self.known.zone
        if tz == "profile":
            return zone_named(self.profile_at(instant).get("timezone")) or self.known.zone
        zone = zone_named(tz)
        assert zone is not None, f"not a zone: {tz!r}"
        return zone

    def zones(self, tz: object) -> list[ZoneInfo]:
        """Every zone that `tz` can mean for this subject."""
        found = {self.zone_at(tz, BEGINNING)} | {self.zone_at(tz, at) for at, _ in self.profile_states}
        return sorted(found, key=str)

    # --- Age (5.15; consent.md, "Age")

    def birth_date(self, T: int) -> date | None:
        """The profile's, valid at T."""
        return as_date(self.profile_at(T).get("birth_date"))

    def age(self, t: int, T: int) -> int | None:
        """The age at t by the `birth_date` and the zone valid at T."""
        birth = self.birth_date(T)
        return None if birth is None else age_on(birth, local_date(t, self.zone_at("profile", T)))

    def age_suffices(self, purpose: Purpose, t: int, T: int) -> bool:
        """`min_age` holds at t and at T, both; unknown: denied."""
        if purpose.min_age is None:
            return True
        ages = (self.age(t, T), self.age(T, T))
        return all(age is not None and age >= purpose.min_age for age in ages)

    # --- Scores (5.14)

    @cached_property
    def scores(self) -> list[Score]:
        """A state like a profile row, ordered as in 6.2: (`valid_from`, `received_at`, content hash); the last wins."""
        rows = [s for s in self.known.world.scores if s.subject == self.subject and s.received_at <= self.known.K]
        return sorted(rows, key=lambda row: (row.valid_from, row.received_at, score_hash(row)))

    def score_at(self, model: str, instant: int) -> Score | None:
        """The model's score valid at the instant, whatever its version; none before the first."""
        found = [row for row in self.scores if row.model == model and row.valid_from <= instant]
        return found[-1] if found else None

    # --- Consent

    @cached_property
    def ledger(self) -> list[Consent]:
        """The rows that count at K."""
        rows = [row for row in self.known.world.consents if row.subject == self.subject]
        return accepted(rows, frozenset(self.known.purposes), self.known.K)

    def bases(self, purpose: Purpose) -> list[tuple[int, str]]:
        """The purpose's basis from each instant on: it follows the profile's `country`."""
        steps = [(BEGINNING, purpose.basis(None))]
        for at, state in self.profile_states:
            basis = purpose.basis(state.get("country"))
            if steps[-1][0] == at:
                steps.pop()
            if not steps or steps[-1][1] != basis:
                steps.append((at, basis))
        return steps

    def granted_as_a_minor(self, row: Consent) -> bool:
        """Below the age of consent of the country, by the profile valid at `effective_at`, else the next that tells."""
        if row.action != "GRANT" or row.method == "parental":
            return False
        at = permits_at(row)
        said, since = self._then_or_next(at, "birth_date")
        country, _ = self._then_or_next(at, "country")
        ages = [age for name, from_at, age in ages_of_consent() if name == country and from_at <= at]
        birth = as_date(said)
        if birth is None or not ages:
            return False
        return local_date(at, self.zone_at("profile", since)) < birthday(birth, ages[-1])

    def _then_or_next(self, at: int, column: str) -> tuple[object, int]:
        """The value valid at the instant or the first one after it, and from when."""
        if self.profile_at(at).get(column) not in (None, ""):
            return self.profile_at(at)[column], at
        later = [step for step in self.profile_states if step[0] > at and step[1].get(column) not in (None, "")]
        return (later[0][1][column], later[0][0]) if later else (None, at)

    # --- Population (3.3)

    @cached_property
    def facts_at(self) -> list[int]:
        """The instants of events, profile rows and permissive consent rows; scores make nobody known.

        What 2.3 and 2.6 set aside is no fact, nor what is quarantined or loses to another body; what consent
        refuses is one.
        """
        instants = [event.at for event in self.collected]
        instants += [row.valid_from for row in self.profile_rows]
        instants += [permits_at(row) for row in self.ledger if row.action in PERMISSIVE]
        return instants


