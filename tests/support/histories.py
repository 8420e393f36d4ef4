"""Run the kernel over a world in steps, and read what it believes and what it published."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.project import Project
from tests.support.oracle import history as told
from tests.support.oracle_model import Consent, Event, Link, Profile, Score, World
from tests.support.worlds import arrived, read_world
from transforms.algebra.absorb import Arrived
from transforms.algebra.advance import advance, recalled
from transforms.algebra.claims import WHO
from transforms.algebra.gone import NOBODY
from transforms.algebra.layers import Layers, without
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.outdated import Outdated, see_that_nobody_is_torn_away
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, empty_state
from transforms.segment import segment

Fact = Event | Profile | Consent | Link | Score
History = dict[tuple[str, str], list[tuple[int, int | None]]]
LATER = 10**17
ALWAYS = 10**18
SKEW = 300_000_000


def facts_of(world: World) -> list[Fact]:
    """What is not set aside as dated in the future."""
    events = [event for event in world.events if event.occurred_at <= event.received_at + SKEW]
    return every_fact(replace(world, events=tuple(events)))


def every_fact(world: World) -> list[Fact]:
    """The facts of all kinds."""
    return [*world.events, *world.profiles, *world.consents, *world.links, *world.scores]


def subjects_of(world: World) -> list[str]:
    """Every id that any fact names."""
    named = [[fact.from_id, fact.to_id] if isinstance(fact, Link) else [fact.subject] for fact in every_fact(world)]
    return sorted({one for ids in named for one in ids if one})


def expected(world: World, until: int | None = None, known_at: int = LATER) -> History:
    """The oracle's histories as known at K, those that are not empty; as far as they reach up to `until` where it is given."""
    names = [segment["segment"] for segment in world.project["segments"]]
    subjects = subjects_of(world)
    found = {(name, subject): told(world, name, subject, known_at) for name in names for subject in subjects}
    if until is not None:
        found = {key: cut(value, until) for key, value in found.items()}
    return {key: value for key, value in found.items() if value}


def cut(intervals: Sequence[tuple[int, int | None]], until: int) -> list[tuple[int, int | None]]:
    """Intervals as they are known up to an instant: what begins later is not there, what ends later has no end."""
    return [(a, b if b is not None and b <= until else None) for a, b in intervals if a <= until]


class Shard:
    """One shard with all subjects, advanced step by step; keeps what each step published.

    Unless `reach` says so, its state forgets nothing. Where it has forgotten what news bears on, it is told all once more.
    """

    def __init__(self, project: Project, reach: int = ALWAYS) -> None:
        self.program = Program(replace(project, state_reach=reach), dict.fromkeys(project.segments, 1))
        self.state: State = empty_state(self.program)
        self.last_at = BEGINNING
        self.published: list[dict[str, pa.Table]] = []
        self.told: list[Fact] = []
        self.rebuilt: list[str] = []

    @classmethod
    def of(cls, folder: Path, world: World, reach: int = ALWAYS) -> "Shard":
        return cls(read_world(folder, world), reach)

    def step(self, facts: Iterable[Fact], at: int, writes_features: bool = True) -> "Shard":
        new = [*facts]
        moment = self._moment(at, writes_features)
        tables = arrived(self.program.project, new)
        self._rebuild(self._twins(new), moment)
        try:
            published = self._advance(tables, moment)
        except Outdated as outdated:
            self._rebuild(outdated.subjects, moment)
            published = self._advance(tables, moment)
        self.published.append(published)
        self.told += new
        self.last_at = at
        return self

    def _moment(self, at: int, writes_features: bool) -> Moment:
        return Moment(self.last_at, at, FOREVER, writes_features=writes_features)

    def _standing(self, subjects: pa.Array, moment: Moment) -> pa.Table:
        return NOBODY

    def _advance(self, tables: Arrived, moment: Moment) -> dict[str, pa.Table]:
        self.state, published = advance(self.program, self.state, tables, moment)
        return published

    def _rebuild(self, subjects: pa.Array, moment: Moment) -> None:
        """Give the state all facts that were told about some subjects."""
        if len(subjects):
            try:
                see_that_nobody_is_torn_away(self.state, subjects, moment)
            except Outdated as torn:
                subjects = pa.concat_arrays([subjects, torn.subjects])
            self.rebuilt += subjects.to_pylist()
            every = arrived(self.program.project, self.told)
            stored = {name: rows.filter(pc.is_in(rows["subject"], value_set=subjects)) for name, rows in every.items()}
            standing = self._standing(subjects, moment)
            self.state = recalled(self.program, without(self.state, subjects), stored, moment, standing)

    def _twins(self, new: Iterable[Fact]) -> pa.Array:
        """Those of whom part is forgotten and an event is told whose id they had before: a warehouse would find it."""
        keys = {_key(fact) for fact in self.told if isinstance(fact, Event)}
        asked = {fact.subject for fact in new if isinstance(fact, Event) and _key(fact) in keys}
        folded = self.state.ids.filter(pa.array(self.state.floors > BEGINNING))
        return folded.filter(pc.is_in(folded, value_set=pa.array(sorted(asked), pa.string())))

    def believed(self, until: int = LATER) -> History:
        """The maximal intervals that are believed, those that begin after `until` left out and open ends cut there."""
        history: History = {}
        ids, names = self.state.ids.to_pylist(), self.program.segments
        for row in self.state.belief.to_pylist():
            if row["at"] <= until:
                _turn(history.setdefault((names[row["segment"]], ids[row[WHO]]), []), row["at"], row["member"])
        return history

    def folded(self) -> History:
        """The transitions as published: inserted and closed, step by step."""
        current: dict[tuple[str, str], dict[int, bool]] = {}
        for tables in self.published:
            for row in tables["closings"].to_pylist():
                del current[row["segment"], row["subject"]][_us(row["at"])]
            for row in tables["transitions"].to_pylist():
                turns = current.setdefault((row["segment"], row["subject"]), {})
                assert _us(row["at"]) not in turns, "a transition is inserted while it is believed"
                turns[_us(row["at"])] = row["member"]
        history: History = {}
        for key, turns in current.items():
            for at in sorted(turns):
                _turn(history.setdefault(key, []), at, turns[at])
        return {key: intervals for key, intervals in history.items() if intervals}


class Layered(Shard):
    """The same in layers, which settle now and then."""

    def __init__(self, project: Project, reach: int = ALWAYS) -> None:
        self.random = Random(len(project.segments))
        super().__init__(project, reach)

    @property  # type: ignore[override]
    def state(self) -> State:
        return self.layers.at_rest().rest

    @state.setter
    def state(self, state: State) -> None:
        self.layers = Layers.of(state)

    def _advance(self, tables: Arrived, moment: Moment) -> dict[str, pa.Table]:
        received = {name.encode(): rows.to_batches() for name, rows in tables.items()}
        after, published = segment(self.program, self.layers, received, moment)
        self.layers = after.at_rest() if self.random.random() < 0.3 else after
        return published


def changes_folded(steps: Sequence[dict[str, pa.Table]], last: Sequence[int]) -> History:
    """The announced changes, applied one after another; `last` holds the T of each step."""
    answers: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for tables, at in zip(steps, last, strict=True):
        rows = sorted(tables["changes"].to_pylist(), key=lambda row: (row["kind"] != "corrected", row["effective_at"]))
        for row in rows:
            steps_of = answers.setdefault((row["segment"], row["subject"]), [])
            begin, end = _us(row["effective_at"]), _us(row["until_at"]) if row["kind"] == "corrected" else at
            after = _value(steps_of, end)
            kept = [(t, v) for t, v in steps_of if t < begin or (t >= end and end < at)]
            kept.append((begin, row["member"]))
            if row["kind"] == "corrected" and end < at and all(t != end for t, _ in kept):
                kept.append((end, after))
            answers[row["segment"], row["subject"]] = sorted(kept)
    history: History = {}
    for key, turns in answers.items():
        before = False
        for at, value in turns:
            if value != before:
                _turn(history.setdefault(key, []), at, value)
            before = value
    return history


def _key(event: Event) -> tuple[str, str, str]:
    return event.source, event.subject, event.event_id


def _value(turns: Sequence[tuple[int, bool]], at: int) -> bool:
    return next((value for t, value in reversed(turns) if t <= at), False)


def _turn(intervals: list[tuple[int, int | None]], at: int, member: bool) -> None:
    if member:
        intervals.append((at, None))
    else:
        intervals[-1] = (intervals[-1][0], at)


def _us(instant: object) -> int:
    from tests.support.oracle_model import to_instant

    return to_instant(instant)  # type: ignore[arg-type]
