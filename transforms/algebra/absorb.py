"""New facts enter a state: numbered, de-duplicated, projected, and merged in order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.kinds import EVENTS, KINDS, Kind
from transforms.algebra.by_subject import replaced, rows_of
from transforms.algebra.claims import WHO, ints
from transforms.algebra.coded import aligned, digests, indices, joined, told, whole
from transforms.algebra.event_order import NAMES, event_order
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, different, in_turn
from transforms.algebra.project import Projection
from transforms.algebra.state import SUBJECTS, State, remembered
from transforms.deduplicate import deduplicate

Arrived = Mapping[str, pa.Table]
"""Facts that a shard has read: by kind a canonical table, in any order, repeats among them."""


@dataclass(frozen=True)
class News:
    """What of the arrived is new, and whom it is about.

    Attributes:
      facts: by kind the records that stand; `replaces` marks those whose twin in the state they replace.
      who: by kind the number of the subject of each of them.
      projected: the projection of the events, row by row.
      repeated: how many arrived records lost to another of their key; `conflicts` of the events had other content.
    """

    facts: Mapping[str, pa.Table]
    who: Mapping[str, Ints]
    projected: pa.Table
    repeated: int
    conflicts: int


class _Entry(NamedTuple):
    """Rows that enter a state, the numbers of their subjects, and the rows of the state that stand (None: all)."""

    rows: pa.Table
    who: Ints
    kept: Ints | None
    conflicts: int


def absorb(
    state: State, arrived: Arrived, projection: Projection, con: duckdb.DuckDBPyConnection
) -> tuple[State, News]:
    """The state with the arrived facts in it, and what was new."""
    state, who = _number(state, arrived)
    entries = {
        name: _choose(state.facts[name], arrived[name], who[name], kind) for name, kind in KINDS.items()
    }
    projected = projection(con, entries["events"].rows)
    facts = {name: _with_rows(state.facts[name], entry) for name, entry in entries.items() if name != "events"}
    events = _with_events(state.facts["events"], entries["events"], projected)
    news = News(
        facts={name: entry.rows for name, entry in entries.items()},
        who={name: entry.who for name, entry in entries.items()},
        projected=projected,
        repeated=sum(len(who[name]) - len(entry.who) for name, entry in entries.items()),
        conflicts=entries["events"].conflicts,
    )
    return replace(state, facts={"events": events, **facts}), news


def _number(state: State, arrived: Arrived) -> tuple[State, dict[str, Ints]]:
    """Give the subjects that are new their numbers, and tell by kind whose each row is."""
    coded = {(name, ids): whole(arrived[name][ids].dictionary_encode()) for name, kind in KINDS.items() for ids in kind.ids}
    named = pc.unique(pa.concat_arrays([column.dictionary for column in coded.values()]))
    number = pc.index_in(named, value_set=state.ids).cast(pa.int64())
    new = named.filter(number.is_null())
    if len(new):
        state = with_subjects(state, new)
        number = pc.replace_with_mask(number, number.is_null(), pa.array(np.arange(len(new)) + state.count - len(new)))
    return state, {name: _numbers(coded[name, "subject"], named, number) for name in KINDS}


def with_subjects(state: State, new: pa.Array) -> State:
    """The state with subjects that it does not know, of whom it holds nothing yet."""
    never, none_at = np.full(len(new), FOREVER), np.full(len(new), BEGINNING)
    columns = {"next_at": never, "features_at": never, "turns_at": never, "floor_at": none_at, "cut_at": none_at}
    added = pa.table({"subject": new, **columns}, schema=SUBJECTS)
    return replace(state, subjects=joined(state.subjects, added))


def _numbers(column: pa.DictionaryArray, named: pa.Array, number: pa.Array) -> Ints:
    """The number of each row's subject."""
    of_text = number.take(pc.index_in(column.dictionary, value_set=named))
    return np.asarray(of_text).astype(np.int64)[indices(column, -1)]


def _choose(before: pa.Table, arrived: pa.Table, who: Ints, kind: Kind) -> _Entry:
    """The arrived rows that stand, and the rows of the state that still do."""
    if not len(who):
        return _Entry(arrived.append_column("replaces", pa.array([], pa.bool_())), who, None, 0)
    key = [WHO, *(name for name in kind.key if name != "subject")]
    rivals, _ = rows_of(before, different(who))
    columns = {name: arrived[name] for name in dict.fromkeys((*key[1:], "received_at"))}
    columns["record_hash"] = digests(arrived["record_hash"], before.schema.field("record_hash").type.byte_width)
    candidates = pa.table({WHO: who, **columns})
    choice = deduplicate(before.select(candidates.column_names).take(pa.array(rivals)), candidates, key)
    kept = None if choice.stands.all() else np.delete(np.arange(len(before)), rivals[~choice.stands])
    rows = arrived if choice.enters.all() else arrived.filter(pa.array(choice.enters))
    return _Entry(
        rows.append_column("replaces", pa.array(choice.replaces)), who[choice.enters], kept, choice.conflicts
    )


def _with_rows(before: pa.Table, entry: _Entry) -> pa.Table:
    """The rows of the state that still stand and the new ones, by subject."""
    return _entered(before, entry, remembered(entry.rows, entry.who, before.column_names[1:]), _by_subject)


def _with_events(before: pa.Table, entry: _Entry, projected: pa.Table) -> pa.Table:
    """The events of the state that still stand and the new ones, in order."""
    new = remembered(entry.rows, entry.who, EVENTS.remembered(entry.rows.schema))
    for name in projected.column_names:
        new = new.append_column(name, projected[name])
    return _entered(before, entry, new, _by_instant)


def _entered(before: pa.Table, entry: _Entry, new: pa.Table, in_order: Callable[[pa.Table], Ints]) -> pa.Table:
    """The rows with the new ones among them. Where none of them goes, those of other subjects are left as they are."""
    if entry.kept is not None or not len(before):
        standing = before if entry.kept is None else before.take(pa.array(entry.kept))
        both = joined(standing, new)
        return both.take(pa.array(in_order(both))) if len(entry.who) else both
    if not len(entry.who):
        return before
    mine, theirs, texts = aligned(before, new)
    touched = different(entry.who)
    some = pa.concat_tables([mine.take(pa.array(rows_of(mine, touched)[0])), theirs]).combine_chunks()
    return told(replaced(mine, touched, some.take(pa.array(in_order(told(some, texts))))), texts)


def _by_subject(rows: pa.Table) -> Ints:
    return in_turn(rows[WHO].to_numpy())


def _by_instant(rows: pa.Table) -> Ints:
    return event_order(ints(rows[WHO], 0), ints(rows["occurred_at"], 0), rows.select(NAMES))


def flags(count: int, who: Ints) -> Flags:
    """The subjects of the numbers, among so many."""
    marked = np.zeros(count, np.bool_)
    marked[who] = True
    return marked
