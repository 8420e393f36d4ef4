"""A shard's state in two layers, so that a step costs what it touches: who rests lies in a file that is not written anew."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.absorb import flags
from transforms.algebra.by_subject import rows_of
from transforms.algebra.claims import WHO, ints
from transforms.algebra.coded import joined, referred
from transforms.algebra.gone import tells_too_much, without_what_is_gone
from transforms.algebra.heard import shown
from transforms.algebra.lifecycles import NOBODY, counted
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, read_state, write_state
from transforms.algebra.tally import UNKNOWN, codes_before, verdicts

_WOKEN = pa.schema([("number", pa.int32())])
_AWAKE, _STEPS = 0.25, 4
"""The part of those who rest that may be awake at most, in some shards up to twice as much: not all lie down at once."""


@dataclass(frozen=True)
class Layers:
    """What a shard remembers.

    Attributes:
      rest: the state as it was when all lay down last.
      woken: the numbers in it, rising, of those who are awake since: what it says of them holds no more.
      awake: the state of these, and of those who came since.
    """

    rest: State
    woken: Ints
    awake: State

    @classmethod
    def of(cls, state: State) -> "Layers":
        """All at rest."""
        nobody = np.empty(0, np.int64)
        return cls(state, nobody, taken(state, nobody))

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody is awake."""
        return not (len(self.woken) or self.awake.count)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is forgotten of anybody."""
        return self.rest.is_whole and self.awake.is_whole

    @cached_property
    def resting(self) -> Flags:
        """Of whom `rest` tells the truth."""
        return ~flags(self.rest.count, self.woken)

    @property
    def turns_at(self) -> Ints:
        """For each subject the next instant at which it enters or leaves a segment if nothing more is heard."""
        rest, awake = (ints(state.subjects["turns_at"], FOREVER) for state in (self.rest, self.awake))
        return np.concatenate([rest[self.resting], awake])

    def without_what_is_gone(self, program: Program, moment: Moment) -> "Layers":
        """All at rest again, and without the events that retention has removed, where there may be any of those who rest.

        Those of who is awake go with the step.
        """
        if not tells_too_much(program, self.rest, moment):
            return self
        return Layers.of(without_what_is_gone(program, self.at_rest().rest, moment))

    def waking(self, named: pa.Array, moment: Moment) -> "Layers":
        """The same with all awake whom a step may concern: those named, those whom K comes to see or who are due, their kin."""
        stirred = self.resting & (_stirs(self.rest, moment) | _among(self.rest, named))
        who = np.flatnonzero(self.resting & self.rest.related(stirred))
        if not len(who):
            return self
        return Layers(self.rest, np.union1d(self.woken, who), merged(self.awake, taken(self.rest, who)))

    def stepped(self, awake: State) -> "Layers":
        """The same after a step of those who are awake."""
        return self if awake is self.awake else replace(self, awake=awake)

    def settled(self, shard: int, before: "Layers") -> "Layers":
        """All at rest again where many are awake, or where those below are not told of as they were."""
        if self.rest is not before.rest:
            return self.at_rest()
        most = _AWAKE * (1 + shard % _STEPS / _STEPS)
        return self if self.rest.count and self.awake.count <= most * self.rest.count else self.at_rest()

    def at_rest(self) -> "Layers":
        """All at rest again."""
        return Layers.of(merged(taken(self.rest, np.flatnonzero(self.resting)), self.awake))

    def numbers(self, program: Program) -> dict[str, pa.Table]:
        """How many of those at rest are of each verdict, and in each pair of phases."""
        codes = {name: self._codes(self.rest.verdicts, name, UNKNOWN) for name in program.project.purposes}
        phases = [self._codes(self.rest.lifecycles, flow.meaning, NOBODY) for flow in program.flows]
        return {"verdicts": verdicts(codes, {}), "lifecycles": counted(program.flows, phases)}

    def _codes(self, known: pa.Table, name: str, absent: int) -> Ints:
        return codes_before(known, name, self.rest.count, absent)[self.resting]


def _among(state: State, named: pa.Array) -> Flags:
    """The subjects that are named."""
    return np.asarray(pc.is_in(state.ids, value_set=named)).astype(np.bool_)


def _stirs(state: State, moment: Moment) -> Flags:
    """The subjects about whom a step may have anything to say though no news names them."""
    names = ("next_at", "turns_at", *(("features_at",) if moment.writes_features else ()))
    due = np.minimum.reduce([ints(state.subjects[name], FOREVER) for name in names]) <= moment.at
    seen = [flags(state.count, rows[WHO].to_numpy()[shown(rows, moment)]) for rows in state.facts.values()]
    return np.logical_or.reduce([due, np.full(state.count, moment.everyone), *seen])


def taken(state: State, who: Ints) -> State:
    """The state of some subjects (rising numbers), numbered anew."""

    def of(rows: pa.Table) -> pa.Table:
        index, local = rows_of(rows, who)
        return _numbered(referred(rows.take(pa.array(index))), local)

    return State(
        state.subjects.take(pa.array(who)),
        {name: of(rows) for name, rows in state.facts.items()},
        of(state.bases),
        of(state.belief),
        of(state.features),
        *(_codes_of(codes, who) for codes in (state.lifecycles, state.verdicts)),
    )


def _numbered(rows: pa.Table, who: Ints) -> pa.Table:
    return rows.set_column(rows.column_names.index(WHO), WHO, pa.array(who.astype(np.int32)))


def _codes_of(codes: pa.Table, who: Ints) -> pa.Table:
    """The codes of subjects; those who are new have none yet."""
    return codes.take(pa.array(who[who < len(codes)])) if codes.num_columns else codes


def merged(one: State, other: State) -> State:
    """Both, the subjects of the second numbered behind those of the first. Nobody is in both."""
    if not (one.count and other.count):
        return one if one.count else other

    def behind(mine: pa.Table, theirs: pa.Table) -> pa.Table:
        return joined(mine, _numbered(theirs, ints(theirs[WHO], 0) + one.count))

    return State(
        joined(one.subjects, other.subjects),
        {name: behind(rows, other.facts[name]) for name, rows in one.facts.items()},
        behind(one.bases, other.bases),
        behind(one.belief, other.belief),
        behind(one.features, other.features),
        pa.concat_tables([one.lifecycles, other.lifecycles]),
        pa.concat_tables([one.verdicts, other.verdicts]),
    )


def without(state: State, leaving: pa.Array) -> State:
    """The state without some subjects, the others numbered anew."""
    return taken(state, np.flatnonzero(~_among(state, leaving)))


def write_awake(layers: Layers, about: Mapping[str, object], sink: pa.NativeFile) -> None:
    """Write the upper layer: who is awake of those below as an Arrow stream, then a state as `write_state` does."""
    with pa.ipc.new_stream(sink, _WOKEN) as stream:
        stream.write_table(pa.table([pa.array(layers.woken.astype(np.int32))], schema=_WOKEN))
    write_state(layers.awake, about, sink)


def read_layers(rest: pa.Buffer, awake: pa.Buffer | None = None) -> Layers:
    """What `write_state` wrote of who rests, and `write_awake` since. Errors: ArrowInvalid for files that are none."""
    state, _ = read_state(rest)
    if awake is None:
        return Layers.of(state)
    reader = pa.BufferReader(awake)
    with pa.ipc.open_stream(reader) as stream:
        woken = ints(stream.read_all()["number"], 0)
    above, _ = read_state(awake.slice(reader.tell()))
    return Layers(state, woken, above)
