"""The stories of segments, each told in one batch, through cuts and by `explain`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from runners.story_facts import StoryFacts
from schemas.definitions.lineage import narrow
from schemas.definitions.project import Project
from schemas.definitions.segment import Segment
from schemas.definitions.story import Expected, Story
from transforms.algebra.absorb import Arrived
from transforms.algebra.advance import advance
from transforms.algebra.event_order import in_event_order
from transforms.algebra.explain import explain
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, empty_state, facts_of


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


def tell(program: Program, segment: Segment, story: Story) -> list[Answer]:
    """What is found of each expectation of a story, in its order."""
    facts = StoryFacts(program.project, segment, story)
    cuts = list(_cuts(program, facts))
    return [_answer(program, segment.name, facts, cuts, expected) for expected in story.expect]


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


def _answer(
    program: Program, name: str, facts: StoryFacts, cuts: Sequence[tuple[int, State]], expected: Expected
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


def _explained(program: Program, state: State, name: str, events: pa.Table, at: int) -> bool:
    """What `explain` says of the subject; one that nothing is known of is no member."""


    if not state.count:
        return False
    known = facts_of(state, np.zeros(1, np.int64), FOREVER, program.project)
    told = explain(program.project.segments[name], known, in_event_order(events, state.ids), at, state.ids[0].as_py())
    return bool(told["member"])
