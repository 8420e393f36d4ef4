"""A shard's state: its facts as the kernel needs them, what is believed, and what was last written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa

from schemas.definitions.project import Project
from schemas.kinds import EVENTS, KINDS, Kind
from transforms.algebra.by_subject import rows_of
from transforms.algebra.claims import WHO, ints
from transforms.algebra.coded import coded, digests, indices, whole
from transforms.algebra.epochs import Grounds
from transforms.algebra.exact import Number, fits, scaled
from transforms.algebra.facts import Facts
from transforms.algebra.folded import Base, Folded
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, in_turn
from transforms.algebra.program import Moment, Program
from transforms.algebra.relations import groups, relations
from transforms.algebra.scores import Scores

_INSTANTS = ("next_at", "features_at", "turns_at", "floor_at", "cut_at")
SUBJECTS = pa.schema([("subject", pa.string()), *((name, pa.int64()) for name in _INSTANTS)])
UNSURE, STALE = BEGINNING, BEGINNING + 1
"""When features may change of whom it is not known what was written last, and of whom they may have changed since."""
WEIGHTS = ("one", "two", "three")
BASES = pa.schema([("leaf", pa.string()), (WHO, pa.int32()), *((name, pa.decimal128(38, 0)) for name in WEIGHTS)])
BELIEF = pa.schema([("segment", pa.int16()), (WHO, pa.int32()), ("at", pa.int64()), ("member", pa.bool_())])

DIGEST, EVENT_DIGEST = 16, 8
"""How many bytes a state keeps of content hashes; those of events are only compared where all else is equal."""
_IDS = ("event_id", "position")


@dataclass(frozen=True)
class State:
    """What a shard remembers. Subjects are numbered in the order in which they came; texts are coded, ids are not.

    Attributes:
      subjects: the ids; the next instants at which any verdict, phase or session may change, any feature, and any answer; the
        floor, before which the state tells no answers, and the cut, up to which it may have forgotten events. Both are the
        beginning of time for those of whom all is there.
      facts: by kind, the accepted rows by `who`, with what verdicts and leaves read. Events are sorted by (who, occurred_at,
        event_id, source), and have the projection's columns.
      bases: what leaves add up of forgotten events, by `who`.
      belief: every transition of each segment (by its place among the project's), those after T included; by
        (who, segment, at). Of what lies before the floor only the memberships that last until then.
      features: the last written row of each subject, by `who`.
      lifecycles: for each lifecycle (by its meaning) and subject the two phases at the last T, as a code.
      verdicts: for each purpose and subject the verdict at the last T, as a code; none before the first step.
    """

    subjects: pa.Table
    facts: Mapping[str, pa.Table]
    bases: pa.Table
    belief: pa.Table
    features: pa.Table
    lifecycles: pa.Table
    verdicts: pa.Table

    @property
    def count(self) -> int:
        """The number of subjects."""
        return len(self.subjects)

    @property
    def ids(self) -> pa.Array:
        """The subjects' ids."""
        return whole(self.subjects["subject"])

    @property
    def following_at(self) -> int:
        """The next instant at which there may be anything to say without any news, feature rows aside."""
        at = np.minimum(*(ints(self.subjects[name], FOREVER) for name in ("next_at", "turns_at")))
        return int(at.min(initial=FOREVER))

    @cached_property
    def floors(self) -> Ints:
        """From when on the state tells each subject's answers."""
        return ints(self.subjects["floor_at"], BEGINNING)

    def forgets(self, moment: Moment) -> Flags:
        """Of whom the state tells less than what is left in the warehouse."""
        cut_at = ints(self.subjects["cut_at"], BEGINNING)
        return (self.floors > moment.horizon_at) | (cut_at > moment.gone_to_at)

    def with_instants(self, **columns: Ints) -> "State":
        """The state with other instants of its subjects."""
        subjects = self.subjects
        for name, at in columns.items():
            subjects = subjects.set_column(subjects.column_names.index(name), name, pa.array(at))
        return replace(self, subjects=subjects)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is forgotten of anybody."""
        return not (self.floors > BEGINNING).any()

    @cached_property
    def groups(self) -> Ints | None:
        """For each subject the number of the group of ids that links connect it with, seen or not; None without links."""
        links = self.facts["identities"]
        return groups(links, self.ids) if len(links) else None

    def related(self, flags: Flags) -> Flags:
        """The subjects of which any id of the group is flagged: what is said of one may concern all."""
        if self.groups is None:
            return flags
        said = np.zeros(self.count, np.bool_)
        said[self.groups[flags]] = True
        return said[self.groups]


def empty_state(program: Program) -> State:
    """Nothing yet."""
    facts = {name: _no_facts(kind, program) for name, kind in KINDS.items()}
    features = _coded(pa.schema([pa.field(WHO, pa.int32()), *program.feature_schema]).empty_table())
    return State(SUBJECTS.empty_table(), facts, BASES.empty_table(), BELIEF.empty_table(), features, pa.table({}), pa.table({}))


def _no_facts(kind: Kind, program: Program) -> pa.Table:
    schema, projected = program.project.schemas[kind.name], program.projected_schema
    names = kind.remembered(schema)
    if kind is EVENTS:
        schema, names = pa.schema([*kind.noun.SCHEMA, *projected]), (*names, *projected.names)
    return remembered(schema.empty_table(), np.empty(0, np.int64), names)


def _coded(rows: pa.Table) -> pa.Table:
    return pa.table({name: coded(rows[name]) for name in rows.column_names})


def remembered(rows: pa.Table, who: Ints, names: Sequence[str]) -> pa.Table:
    """The columns `names` of canonical rows as a state keeps them, beside the numbers of their subjects."""
    columns = {name: whole(rows[name]) if name in _IDS else coded(rows[name]) for name in names}
    width = EVENT_DIGEST if "occurred_at" in names else DIGEST
    columns["record_hash"] = digests(rows["record_hash"], width)
    return pa.table({WHO: pa.array(who.astype(np.int32)), **columns})


def facts_of(state: State, who: Ints, known_at: int, project: Project) -> Facts:
    """The facts about some subjects (rising numbers, groups of them whole), as far as they were received by `known_at`."""
    everyone = len(who) == state.count
    subjects = state.ids if everyone else state.ids.take(pa.array(who))
    seen = {name: _seen(rows, None if everyone else who, known_at) for name, rows in state.facts.items()}
    events = seen["events"]
    columns = events.select(events.column_names[1 + len(EVENTS.remembered(events.schema)) :])
    grounds = Grounds(project, seen["consents"], seen["profiles"], subjects)
    names, scores = events.select(["event_id", "source"]), Scores(seen["scores"], len(subjects))
    related = relations(grounds, seen["identities"], subjects)
    at = ints(events["occurred_at"], 0)
    return Facts(subjects, ints(events[WHO], 0), at, columns, grounds, names, scores, related, _folded(state, who))


def _folded(state: State, who: Ints) -> Folded | None:
    """What stands for what is forgotten of some subjects, numbered anew."""
    cut_at = ints(state.subjects["cut_at"], BEGINNING)[who]
    if not (cut_at > BEGINNING).any():
        return None
    index, local = rows_of(state.bases, who)
    leaves = whole(state.bases["leaf"].take(pa.array(index)).dictionary_encode())
    by_leaf = in_turn(indices(leaves, -1))
    rows, local = state.bases.take(pa.array(index[by_leaf])), local[by_leaf]
    edges = np.searchsorted(indices(leaves, -1)[by_leaf], np.arange(len(leaves.dictionary) + 1)).tolist()
    bases = {
        leaf: Base(local[begin:end], _sums(rows.slice(begin, end - begin)))
        for leaf, (begin, end) in zip(leaves.dictionary.to_pylist(), pairwise(edges), strict=True)
    }
    return Folded(cut_at, state.floors[who], bases)


def _sums(rows: pa.Table) -> list[Number]:
    """The sums of one leaf, which all its rows have, or none."""
    found = [scaled(whole(rows[name])) for name in WEIGHTS if not rows[name].null_count]
    return [sums.astype(np.int64) if fits(sums).all() else sums for sums in found]


def _seen(rows: pa.Table, who: Ints | None, known_at: int) -> pa.Table:
    """The rows of some subjects (of all where `who` is None) that were received by `known_at`, their `who` counted anew."""
    if who is not None:
        index, local = rows_of(rows, who)
        rows = rows.take(pa.array(index)).set_column(0, WHO, pa.array(local.astype(np.int32)))
    if known_at != FOREVER:
        rows = rows.filter(pa.array(ints(rows["received_at"], 0) <= known_at))
    return rows


def write_state(state: State, about: Mapping[str, object], sink: pa.NativeFile) -> None:
    """Write one file: the tables as Arrow streams behind one another. `about` is JSON that `read_state` gives back."""
    own = {part.name: getattr(state, part.name) for part in fields(state) if part.name != "facts"}
    for name, table in {**state.facts, **own}.items():
        described = table.replace_schema_metadata({"about": json.dumps(about, sort_keys=True), "table": name})
        with pa.ipc.new_stream(sink, described.schema) as stream:
            stream.write_table(described)


def read_state(source: pa.Buffer) -> tuple[State, dict[str, object]]:
    """The state and what was noted about it. Errors: ArrowInvalid for a file that is none."""
    reader, tables, noted = pa.BufferReader(source), dict[str, pa.Table](), dict[bytes, bytes]()
    while "verdicts" not in tables:
        with pa.ipc.open_stream(reader) as stream:
            table = stream.read_all()
        noted = table.schema.metadata or {}
        tables[noted.get(b"table", b"").decode()] = table.replace_schema_metadata(None)
    facts = {name: tables.pop(name) for name in KINDS}
    return State(facts=facts, **tables), json.loads(noted[b"about"])
