"""A story's one subject as canonical tables: what reading would have accepted of its events, profiles and consents."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas import consent
from schemas.definitions.project import Project
from schemas.definitions.segment import Segment
from schemas.definitions.source import Source
from schemas.definitions.story import Story, StoryConsent, StoryEvent, StoryProfile
from transforms.algebra.claims import effective_at, ints, quarantined

SUBJECT = "subject"
DAY = 86_400_000_000
BORN = date(1980, 1, 1)
BY_SUBJECT = {"method": "interactive", "actor": "subject"}
"""What a ledger row of a story says where it says nothing else, beside the ledger's own defaults."""


class StoryFacts:
    """The facts of a story's one subject, as canonical tables."""
    def __init__(self, project: Project, segment: Segment, story: Story) -> None:
        self.project, self.segment, self.story = project, segment, story
        expected = [one.at for one in story.expect]
        told = [*(one.at for one in story.events), *(one.at for one in story.consent or ()), *(one.at for one in story.scores)]
        profiled = [one.at for one in story.profile if one.at is not None]
        # A day is out of reach of every rule about instants that are nearly equal.
        self.before = min([*expected, *told, *profiled]) - DAY

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """The facts of each kind that reading would have accepted."""
        told = {
            "events": self._events(),
            "profiles": self._profiles(),
            "consents": self._consents(),
            "scores": self._scores(),
        }
        schemas = self.project.schemas
        tables = {name: pa.Table.from_pylist(list(told.get(name, ())), schema) for name, schema in schemas.items()}
        ledger = tables["consents"]
        place = ledger.column_names.index("effective_at")
        ledger = ledger.set_column(place, "effective_at", effective_at(ledger))
        return {**tables, "consents": ledger.filter(pc.is_null(quarantined(ledger, self.project.purposes)))}

    @cached_property
    def receipts(self) -> list[int]:
        """The instants at which anything is received, in order."""
        return sorted({int(at) for table in self.tables.values() for at in ints(table["received_at"], 0)})

    def seen(self, after: int, until: int) -> dict[str, pa.Table]:
        """What was received in (after, until]."""
        received_at = {name: ints(table["received_at"], 0) for name, table in self.tables.items()}
        return {
            name: table.filter(pa.array((received_at[name] > after) & (received_at[name] <= until)))
            for name, table in self.tables.items()
        }

    def _events(self) -> Iterator[dict[str, Any]]:
        for number, one in enumerate(self.story.events):
            source = self._source(one)
            received_at = one.at if one.received_at is None else one.received_at
            if _set_aside(source, one.at, received_at):
                continue
            said = {"source": source.name, "subject": SUBJECT, "event_id": one.event_id or f"event {number:04}"}
            row = {**said, "event": one.event, "occurred_at": one.at, **one.properties}
            yield {**row, "received_at": received_at, "record_hash": _hash(row)}

    def _source(self, one: StoryEvent) -> Source:
        """The source that is named; else the first that declares the properties, those that speak of the event first."""
        sources = [source for source in self.project.sources.values() if source.kind == "events"]
        named = [source for source in sources if source.name == one.source]
        spoken = [source for source in sources if f"'{one.event}'" in source.fields["event"].expression.text]
        fitting = [source for source in (*spoken, *sources) if _declared(source) >= set(one.properties)]
        return (*named, *fitting, *sources)[0]

    def _profiles(self) -> Iterator[dict[str, Any]]:
        sources = [source for source in self.project.sources.values() if source.kind == "profiles"]
        if not sources:
            return
        for number, one in enumerate(self._told_profiles()):
            source = next((own for own in sources if _declared(own) >= set(one.columns)), sources[0])
            at = self.before if one.at is None else one.at
            nulls = [name for name, value in one.columns.items() if value is None] if source.payload == "delta" else []
            said = {"source": source.name, "subject": SUBJECT, "valid_from": at, **one.columns, "explicit_nulls": nulls}
            row = {**said, "position": f"story\0{number:020}", "payload": source.payload}
            received_at = at if one.received_at is None else one.received_at
            yield {**row, "received_at": received_at, "record_hash": _hash(row)}

    def _told_profiles(self) -> list[StoryProfile]:
        """The rows of the story, with a birth date where it is not told; one of before the first event in any case."""
        from schemas.definitions.story import StoryProfile

        rows = list(self.story.profile)
        if all(row.at is not None for row in rows):
            rows.insert(0, StoryProfile({}))
        untold = all("birth_date" not in row.columns for row in rows)
        if untold and "birth_date" in self.project.profile_columns:
            # In every row: one of a snapshot would set it to null.
            rows = [StoryProfile({"birth_date": BORN, **row.columns}, row.at, row.received_at) for row in rows]
        return rows

    def _consents(self) -> Iterator[dict[str, Any]]:
        sources = self.project.of_kind("consents")
        for number, (one, purpose) in enumerate(self._told_consents()):
            said = {"source": (*sources, "story")[0], "subject": SUBJECT, "event_id": f"row {number:04}"}
            told = {"purpose": purpose, "action": one.action, "claimed_at": one.at, **one.said}
            row = {**consent.DEFAULTS, **BY_SUBJECT, **said, **told}
            received_at = one.at if one.received_at is None else one.received_at
            yield {**row, "received_at": received_at, "record_hash": _hash(row)}

    def _scores(self) -> Iterator[dict[str, Any]]:
        sources = self.project.of_kind("scores")
        for number, one in enumerate(self.story.scores):
            said = {"source": (*sources, "story")[0], "subject": SUBJECT, "position": f"story\0{number:020}"}
            row = {**said, "valid_from": one.at, **{name: getattr(one, name) for name in ("model", "version", "value", "label")}}
            received_at = one.at if one.received_at is None else one.received_at
            yield {**row, "received_at": received_at, "record_hash": _hash(row)}

    def _told_consents(self) -> Iterator[tuple[StoryConsent, str]]:
        """The rows of the story, or a grant of every version that is in force from before the first event on."""
        purposes = sorted({name for one in self.project.segments.values() for name in one.purposes})
        if self.story.consent is None:
            yield from (grant for name in purposes for grant in self._grants(name))
            return
        for row in self.story.consent:
            yield from ((row, name) for name in (purposes if row.purpose is None else [row.purpose]))

    def _grants(self, purpose: str) -> Iterator[tuple[StoryConsent, str]]:
        from schemas.definitions.story import StoryConsent

        versions = self.project.purposes[purpose].versions
        if not versions:
            yield StoryConsent("GRANT", self.before), purpose
        current = [one for one in versions if one.introduced_at <= self.before][-1:]
        for one in (*current, *(one for one in versions if one.introduced_at > self.before)):
            at = max(one.introduced_at, self.before)
            yield StoryConsent("GRANT", at, said={"purpose_major": one.major}), purpose


def _declared(source: Source) -> set[str]:
    return {*source.properties, *(column for use in source.lookups.values() for column in use.take)}


def _set_aside(source: Source, occurred_at: int, received_at: int) -> bool:
    """Whether reading would not have let the event in: dated in the future, or too late for its source."""
    late = source.allowed_lateness is not None and received_at - occurred_at > source.allowed_lateness
    return occurred_at > received_at + source.max_future_skew or (late and source.on_late != "correct")


def _hash(row: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).digest()
