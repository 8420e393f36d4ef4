"""`segue test`: the stories written inside segments, each through one batch, through cuts and through `explain`."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from schemas.definitions.project import Project
    from schemas.definitions.segment import Segment
    from schemas.definitions.source import Source
    from schemas.definitions.story import Expected, Story, StoryConsent, StoryEvent, StoryProfile
    from transforms.algebra.program import Program
    from transforms.algebra.state import State

SUBJECT = "subject"
DAY = 86_400_000_000
BORN = date(1980, 1, 1)
BY_SUBJECT = {"method": "interactive", "actor": "subject"}
"""What a ledger row of a story says where it says nothing else, beside the ledger's own defaults."""


@dataclass(frozen=True)
class Answer:
    """What was found of one expectation: instants in microseconds; `explain` and `cuts` are to agree with `batch`."""

    at: int
    known: int | None
    expected: bool
    batch: bool
    cuts: bool
    explain: bool

    @property
    def right(self) -> bool:
        """Whether every way gave what is expected."""
        return self.batch == self.cuts == self.explain == self.expected


def test(
    ctx: typer.Context,
    select: Annotated[str | None, typer.Option("--select", help="Names, tag:x, purpose:x, +name, name+.")] = None,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Exit 0 where nothing is selected.")] = False,
) -> None:
    """Run the stories of segments: each in one batch, in cuts and by explain."""
    from runners.commands.compile import chosen_of
    from schemas.errors import JobFailed, NothingSelected

    session = ctx.obj
    project = session.project()
    chosen = chosen_of(project, select, allow_empty)
    told = [(name, story) for name in chosen.segments for story in project.segments[name].tests]
    if not told and not allow_empty:
        raise NothingSelected("SEG-0903", "no story is selected", "stories stand under `tests:` of a segment")
    programs = {name: _program(project, name) for name, _ in told}
    results = []
    for name, story in told:
        answers = tell(programs[name], project.segments[name], story)
        results.append({"segment": name, "story": story.name, "ok": all(one.right for one in answers)})
        results[-1]["answers"] = [_shown(one) for one in answers]
        if session.format == "text":
            session.say(_line(results[-1]))
    failed = sum(not one["ok"] for one in results)
    if session.format == "json":
        session.json(results)
    else:
        session.say(f"{len(results)} stories, {len(results) - failed} ok, {failed} failed")
    if failed:
        raise JobFailed("SEG-0909", f"{failed} of {len(results)} stories failed")


def tell(program: "Program", segment: "Segment", story: "Story") -> list[Answer]:
    """What is found of each expectation of a story, in its order."""
    facts = _Facts(program.project, segment, story)
    cuts = list(_cuts(program, facts))
    return [_answer(program, segment.name, facts, cuts, expected) for expected in story.expect]


def _program(project: "Project", name: str) -> "Program":
    """The segment alone with what it refers to."""
    from runners.commands.compile import narrow
    from transforms.algebra.program import Program

    narrowed = narrow(project, "segments", name)
    return Program(narrowed, dict.fromkeys(narrowed.segments, 1))


def _cuts(program: "Program", facts: "_Facts") -> "Iterator[tuple[int, State]]":
    """The state after each instant at which anything is received: a step for each."""
    from transforms.algebra.order import BEGINNING

    state, last = _nothing(program), BEGINNING
    for cut in facts.receipts:
        state = _advanced(program, state, facts.seen(last, cut), (last, cut))
        last = cut
        yield cut, state


def _answer(
    program: "Program", name: str, facts: "_Facts", cuts: "Sequence[tuple[int, State]]", expected: "Expected"
) -> Answer:
    from transforms.algebra.order import BEGINNING, FOREVER

    known = FOREVER if expected.known is None else expected.known
    seen = facts.seen(BEGINNING, known)
    batch = _advanced(program, _nothing(program), seen, (BEGINNING, expected.at))
    stepped = next((state for cut, state in reversed(cuts) if cut <= known), None)
    return Answer(
        at=expected.at,
        known=expected.known,
        expected=expected.member,
        batch=_believed(program, batch, name, expected.at),
        cuts=stepped is not None and _believed(program, stepped, name, expected.at),
        explain=_explained(program, batch, name, seen[0], expected.at),
    )


def _nothing(program: "Program") -> "State":
    from schemas import profile
    from transforms.algebra.state import empty_state

    profiles = profile.with_properties(program.project.profile_columns)
    return empty_state(program.projected_schema, profiles, program.feature_schema)


def _advanced(
    program: "Program", state: "State", seen: "tuple[pa.Table, pa.Table, pa.Table]", at: tuple[int, int]
) -> "State":
    """The state after these facts, from one T to another."""
    from transforms.algebra.absorb import Arrived
    from transforms.algebra.advance import advance
    from transforms.algebra.program import Moment

    return advance(program, state, Arrived(*seen), Moment(*at))[0]


def _believed(program: "Program", state: "State", name: str, at: int) -> bool:
    """Whether the subject is believed to be a member at T."""
    place = program.segments.index(name)
    turns = [row for row in state.belief.to_pylist() if row["segment"] == place and row["at"] <= at]
    return bool(turns) and bool(max(turns, key=lambda row: row["at"])["member"])


def _explained(program: "Program", state: "State", name: str, events: "pa.Table", at: int) -> bool:
    """What `explain` says of the subject; one that nothing is known of is no member."""
    import numpy as np
    import pyarrow as pa

    from transforms.algebra.claims import ints
    from transforms.algebra.explain import explain
    from transforms.algebra.order import FOREVER
    from transforms.algebra.state import event_order, facts_of

    if not state.count:
        return False
    occurred_at = ints(events["occurred_at"], 0)
    index = event_order(occurred_at * 0, occurred_at, events["event_id"], events["source"])
    known = facts_of(state, np.zeros(1, np.int64), FOREVER, program.project)
    return bool(explain(program.project.segments[name], known, events.take(pa.array(index)), at)["member"])


class _Facts:
    """The facts of a story's one subject, as canonical tables."""

    def __init__(self, project: "Project", segment: "Segment", story: "Story") -> None:
        self.project, self.segment, self.story = project, segment, story
        expected = [one.at for one in story.expect]
        told = [*(one.at for one in story.events), *(one.at for one in story.consent or ())]
        profiled = [one.at for one in story.profile if one.at is not None]
        # A day is out of reach of every rule about instants that are nearly equal.
        self.before = min([*expected, *told, *profiled]) - DAY

    @cached_property
    def tables(self) -> "tuple[pa.Table, pa.Table, pa.Table]":
        """Events, profiles and consents that reading would have accepted."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from schemas import consent, event, profile
        from transforms.algebra.claims import effective_at, quarantined

        events = pa.Table.from_pylist(list(self._events()), schema=event.with_properties(self.project.event_columns))
        columns = profile.with_properties(self.project.profile_columns)
        profiles = pa.Table.from_pylist(list(self._profiles()), schema=columns)
        ledger = pa.Table.from_pylist(list(self._consents()), schema=consent.SCHEMA)
        place = ledger.column_names.index("effective_at")
        ledger = ledger.set_column(place, "effective_at", effective_at(ledger))
        return events, profiles, ledger.filter(pc.is_null(quarantined(ledger, self.project.purposes)))

    @cached_property
    def receipts(self) -> list[int]:
        """The instants at which anything is received, in order."""
        from transforms.algebra.claims import ints

        return sorted({int(at) for table in self.tables for at in ints(table["received_at"], 0)})

    def seen(self, after: int, until: int) -> "tuple[pa.Table, pa.Table, pa.Table]":
        """What was received in (after, until]."""
        import pyarrow as pa

        from transforms.algebra.claims import ints

        events, profiles, consents = (
            table.filter(pa.array((ints(table["received_at"], 0) > after) & (ints(table["received_at"], 0) <= until)))
            for table in self.tables
        )
        return events, profiles, consents

    def _events(self) -> Iterator[dict[str, Any]]:
        for number, one in enumerate(self.story.events):
            source = self._source(one)
            received_at = one.at if one.received_at is None else one.received_at
            if _set_aside(source, one.at, received_at):
                continue
            said = {"source": source.name, "subject": SUBJECT, "event_id": one.event_id or f"event {number:04}"}
            row = {**said, "event": one.event, "occurred_at": one.at, **one.properties}
            yield {**row, "received_at": received_at, "record_hash": _hash(row)}

    def _source(self, one: "StoryEvent") -> "Source":
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

    def _told_profiles(self) -> "list[StoryProfile]":
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
        from schemas.consent import DEFAULTS

        sources = [source.name for source in self.project.sources.values() if source.kind == "consents"]
        for number, (one, purpose) in enumerate(self._told_consents()):
            said = {"source": (*sources, "story")[0], "subject": SUBJECT, "event_id": f"row {number:04}"}
            told = {"purpose": purpose, "action": one.action, "claimed_at": one.at, **one.said}
            row = {**DEFAULTS, **BY_SUBJECT, **said, **told}
            received_at = one.at if one.received_at is None else one.received_at
            yield {**row, "received_at": received_at, "record_hash": _hash(row)}

    def _told_consents(self) -> "Iterator[tuple[StoryConsent, str]]":
        """The rows of the story, or a grant of every version that is in force from before the first event on."""
        purposes = sorted({name for one in self.project.segments.values() for name in one.purposes})
        if self.story.consent is None:
            yield from (grant for name in purposes for grant in self._grants(name))
            return
        for row in self.story.consent:
            yield from ((row, name) for name in (purposes if row.purpose is None else [row.purpose]))

    def _grants(self, purpose: str) -> "Iterator[tuple[StoryConsent, str]]":
        from schemas.definitions.story import StoryConsent

        versions = self.project.purposes[purpose].versions
        if not versions:
            yield StoryConsent("GRANT", self.before), purpose
        current = [one for one in versions if one.introduced_at <= self.before][-1:]
        for one in (*current, *(one for one in versions if one.introduced_at > self.before)):
            at = max(one.introduced_at, self.before)
            yield StoryConsent("GRANT", at, said={"purpose_major": one.major}), purpose


def _declared(source: "Source") -> set[str]:
    return {*source.properties, *(column for use in source.lookups.values() for column in use.take)}


def _set_aside(source: "Source", occurred_at: int, received_at: int) -> bool:
    """Whether reading would not have let the event in: dated in the future, or too late for its source."""
    late = source.allowed_lateness is not None and received_at - occurred_at > source.allowed_lateness
    return occurred_at > received_at + source.max_future_skew or (late and source.on_late != "correct")


def _hash(row: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).digest()


def _shown(answer: Answer) -> dict[str, Any]:
    from schemas.definitions.instant import write_instant

    found = {"batch": answer.batch, "cuts": answer.cuts, "explain": answer.explain}
    known = None if answer.known is None else write_instant(answer.known)
    told = {"at": write_instant(answer.at), "known": known, "expected": answer.expected}
    return {**told, "found": found, "ok": answer.right}


def _line(result: Mapping[str, Any]) -> str:
    """A story as a line, and a line more for each answer that is wrong."""
    head = f"{'ok' if result['ok'] else 'FAILED':<7}{result['segment']}: {result['story']}"
    return "\n".join([head, *_wrong(result["answers"])])


def _wrong(answers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    words = {True: "a member", False: "no member"}
    for one in answers:
        if not one["ok"]:
            found = ", ".join(f"{way} {words[value]}" for way, value in one["found"].items())
            known = f", known {one['known']}" if one["known"] else ""
            yield f"         at {one['at']}{known}: expected {words[one['expected']]}, found {found}"
