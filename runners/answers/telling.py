"""The stories of segments, each told in one batch, through cuts, live and by `explain`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from runners.answers.story_facts import StoryFacts
from schemas.definitions.lineage import narrow
from schemas.definitions.project import Project
from schemas.definitions.segment import Segment
from schemas.definitions.story import Expected, Story
from transforms.algebra.absorb import Arrived
from transforms.algebra.advance import advance
from transforms.algebra.claims import ints
from transforms.algebra.event_order import in_event_order
from transforms.algebra.explain import explain
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, empty_state, facts_of
from transforms.watermarks import SLACK

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """What was found of one expectation: instants in microseconds; the others are to agree with `batch`."""

    at: int
    known: int | None
    expected: bool
    batch: bool
    cuts: bool
    stream: bool
    explain: bool

    @property
    def right(self) -> bool:
        """Whether every way gave what is expected."""
        return self.batch == self.cuts == self.stream == self.explain == self.expected


@dataclass(frozen=True)
class _Live:
    """How a stream stands: received up to `known_at`, published up to `at`; `turns` are the transitions on record."""

    known_at: int
    at: int
    state: State
    turns: Mapping[int, bool]


def tell(program: Program, segment: Segment, story: Story) -> list[Answer]:
    """What is found of each expectation of a story, in its order."""
    facts = StoryFacts(program.project, segment, story)
    cuts, stream = list(_cuts(program, facts)), list(_streamed(program, segment.name, facts))
    return [_answer(program, segment.name, facts, cuts, stream, expected) for expected in story.expect]


def program_of(project: Project, name: str) -> Program:
    """The segment alone with what it refers to. Its states forget nothing: a story asks about any T, of all that it has told."""
    narrowed = replace(narrow(project, "segments", name), state_reach=FOREVER)
    return Program(narrowed, dict.fromkeys(narrowed.segments, 1))


def _cuts(program: Program, facts: StoryFacts) -> Iterator[tuple[int, State]]:
    """The state after each instant at which anything is received: a step for each."""
    state, last = empty_state(program), BEGINNING
    for cut in facts.receipts:
        state = _advanced(program, state, facts.seen(last, cut), (last, cut))
        last = cut
        yield cut, state


def _streamed(program: Program, name: str, facts: StoryFacts) -> Iterator[_Live]:
    """A stream after each instant at which anything is received; T is a little behind, unless a transition is due."""
    live = _Live(BEGINNING, BEGINNING, empty_state(program), {})
    for received_at in facts.receipts:
        live = _run_on(program, name, live, received_at - SLACK)
        step = _published(program, name, live, facts.seen(live.known_at, received_at), max(live.at, received_at - SLACK))
        live = replace(step, known_at=received_at)
        yield live


def _run_on(program: Program, name: str, live: _Live, until: int) -> _Live:
    """The stream at T = `until`, if it is later, though nothing has come: it has published each transition when it was due."""
    nothing = {kind: schema.empty_table() for kind, schema in program.project.schemas.items()}
    while live.at < (due := int(ints(live.state.subjects["turns_at"], FOREVER).min(initial=FOREVER))) <= until:
        live = _published(program, name, live, nothing, due)
    return live if live.at >= until else _published(program, name, live, nothing, until)


def _published(program: Program, name: str, live: _Live, facts: Arrived, at: int) -> _Live:
    """The stream after one more commit."""
    state, tables = advance(program, live.state, facts, Moment(live.at, at, writes_features=False))
    turns = dict(live.turns)
    for row in (row for row in tables["closings"].to_pylist() if row["segment"] == name):
        del turns[_micros(row["at"])]
    turns |= {_micros(row["at"]): row["member"] for row in tables["transitions"].to_pylist() if row["segment"] == name}
    return replace(live, at=at, state=state, turns=turns)


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _answer(
    program: Program,
    name: str,
    facts: StoryFacts,
    cuts: Sequence[tuple[int, State]],
    stream: Sequence[_Live],
    expected: Expected,
) -> Answer:
    known = FOREVER if expected.known is None else expected.known
    seen = facts.seen(BEGINNING, known)
    batch = _advanced(program, empty_state(program), seen, (BEGINNING, expected.at))
    stepped = next((state for cut, state in reversed(cuts) if cut <= known), None)
    return Answer(
        at=expected.at,
        known=expected.known,
        expected=expected.member,
        batch=_believed(program, batch, name, expected.at),
        cuts=stepped is not None and _believed(program, stepped, name, expected.at),
        stream=_on_record(program, name, stream, known, expected.at),
        explain=_explained(program, batch, name, seen["events"], expected.at),
    )


def _advanced(program: Program, state: State, seen: Arrived, at: tuple[int, int]) -> State:
    """The state after these facts, from one T to another."""
    return advance(program, state, seen, Moment(*at))[0]


def _believed(program: Program, state: State, name: str, at: int) -> bool:
    """Whether the subject is believed to be a member at T."""
    place = program.segments.index(name)
    turns = [row for row in state.belief.to_pylist() if row["segment"] == place and row["at"] <= at]
    return bool(turns) and bool(max(turns, key=lambda row: row["at"])["member"])


def _on_record(program: Program, name: str, stream: Sequence[_Live], known: int, at: int) -> bool:
    """Whether a stream that has received what was known has published that the subject is a member at T."""
    live = next((one for one in reversed(stream) if one.known_at <= known), None)
    turns = {} if live is None else _run_on(program, name, live, at).turns
    return turns[max(before)] if (before := [turn for turn in turns if turn <= at]) else False


def _explained(program: Program, state: State, name: str, events: pa.Table, at: int) -> bool:
    """What `explain` says of the subject; one that nothing is known of is no member."""


    if not state.count:
        return False
    known = facts_of(state, np.zeros(1, np.int64), FOREVER, program.project)
    told = explain(program.project.segments[name], known, in_event_order(events, state.ids), at, state.ids[0].as_py())
    return bool(told["member"])
