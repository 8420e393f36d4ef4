"""A shard's state: its facts as the kernel needs them, what is believed, and what was last written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import consent
from schemas.definitions.project import Project
from transforms.algebra.claims import ints
from transforms.algebra.epochs import Grounds
from transforms.algebra.facts import Facts
from transforms.algebra.order import FOREVER, Ints, order, spread

SUBJECTS = pa.schema([("subject", pa.string()), ("feature_next_at", pa.int64())])
EVENTS = pa.schema(
    [
        ("who", pa.int64()),
        ("at", pa.int64()),
        ("source", pa.string()),
        ("event_id", pa.string()),
        ("received_at", pa.timestamp("us", "UTC")),
        ("record_hash", pa.binary(32)),
    ]
)
BELIEF = pa.schema([("segment", pa.int64()), ("who", pa.int64()), ("at", pa.int64()), ("member", pa.bool_())])


@dataclass(frozen=True)
class State:
    """What a shard remembers. Subjects are numbered in the order in which they came.

    Attributes:
      subjects: the ids, and the next instant at which any feature may change.
      events: a row an event, sorted by (who, at, event_id, source), with the projection's columns.
      profiles, consents: the accepted rows.
      belief: every transition of each segment (by its place among the project's), those after T included; sorted.
      features: the last written row of each subject, by `who`.
    """

    subjects: pa.Table
    events: pa.Table
    profiles: pa.Table
    consents: pa.Table
    belief: pa.Table
    features: pa.Table

    @property
    def count(self) -> int:
        """The number of subjects."""
        return len(self.subjects)

    @property
    def ids(self) -> pa.Array:
        """The subjects' ids."""
        return self.subjects["subject"].combine_chunks()


def empty_state(projected: pa.Schema, profile_schema: pa.Schema, feature_schema: pa.Schema) -> State:
    """Nothing yet."""
    return State(
        SUBJECTS.empty_table(),
        pa.schema([*EVENTS, *projected]).empty_table(),
        profile_schema.empty_table(),
        consent.SCHEMA.empty_table(),
        BELIEF.empty_table(),
        pa.schema([pa.field("who", pa.int64()), *feature_schema]).empty_table(),
    )


def facts_of(state: State, who: Ints, known_at: int, project: Project) -> Facts:
    """The facts about some subjects (rising numbers), as far as they were received by `known_at`."""
    everyone = len(who) == state.count
    subjects = state.ids if everyone else state.ids.take(pa.array(who))
    events, local = state.events, ints(state.events["who"], 0)
    if not everyone:
        low, high = np.searchsorted(local, who, "left"), np.searchsorted(local, who, "right")
        local, rows = spread(low, high)
        events = events.take(pa.array(rows))
    if known_at != FOREVER:
        seen = np.flatnonzero(ints(events["received_at"], 0) <= known_at)
        events, local = events.take(pa.array(seen)), local[seen]
    profiles = _seen(state.profiles, None if everyone else subjects, known_at)
    consents = _seen(state.consents, None if everyone else subjects, known_at)
    columns = events.select(events.column_names[len(EVENTS) :])
    return Facts(subjects, local, ints(events["at"], 0), columns, Grounds(project, consents, profiles, subjects))


def _seen(rows: pa.Table, subjects: pa.Array | None, known_at: int) -> pa.Table:
    if subjects is not None and len(rows):
        rows = rows.filter(pc.is_in(rows["subject"], value_set=subjects))
    if known_at != FOREVER and len(rows):
        rows = rows.filter(pa.array(ints(rows["received_at"], 0) <= known_at))
    return rows


def event_order(who: Ints, at: Ints, event_id: pa.ChunkedArray, source: pa.ChunkedArray) -> Ints:
    """The permutation that sorts events by (who, at, event id, source), texts by bytes (2.5)."""
    index = order(who, at)
    tied = (who[index][1:] == who[index][:-1]) & (at[index][1:] == at[index][:-1])
    crowded = np.flatnonzero(np.append(tied, False) | np.append(False, tied))
    if len(crowded):
        rows = index[crowded]
        names = pa.table({"event_id": event_id, "source": source}).take(pa.array(rows))
        rank = np.empty(len(rows), np.int64)
        rank[pc.sort_indices(names, [("event_id", "ascending"), ("source", "ascending")]).to_numpy()] = np.arange(
            len(rows)
        )
        index[crowded] = rows[np.lexsort((rank, at[rows], who[rows]))]
    return index


def write_state(state: State, about: Mapping[str, object]) -> bytes:
    """One file: the tables as Arrow streams behind one another. `about` is JSON that `read_state` gives back."""
    sink = pa.BufferOutputStream()
    for part in fields(state):
        table: pa.Table = getattr(state, part.name)
        described = table.replace_schema_metadata({"about": json.dumps(about, sort_keys=True)})
        with pa.ipc.new_stream(sink, described.schema) as stream:
            stream.write_table(described)
    return sink.getvalue().to_pybytes()


def read_state(source: pa.Buffer) -> tuple[State, dict[str, object]]:
    """The state and what was noted about it. Errors: ArrowInvalid for a file that is none."""
    reader, tables = pa.BufferReader(source), []
    for _ in fields(State):
        with pa.ipc.open_stream(reader) as stream:
            tables.append(stream.read_all())
    about = json.loads((tables[0].schema.metadata or {})[b"about"])
    return State(*(table.replace_schema_metadata(None) for table in tables)), about
