"""New facts enter a state: numbered, de-duplicated, projected, and merged in order."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import WHO, codes, ints
from transforms.algebra.coded import digests, joined, whole
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.project import Projection
from transforms.algebra.state import EVENTS, SUBJECTS, State, event_order, remembered
from transforms.deduplicate import deduplicate

EVENT_KEY = (WHO, "source", "event_id")
PROFILE_KEY = (WHO, "source", "position")
CONSENT_KEY = (WHO, "source", "purpose", "channel", "event_id", "record_hash")


@dataclass(frozen=True)
class Arrived:
    """Facts that a shard has read: canonical tables, in any order, repeats among them."""

    events: pa.Table
    profiles: pa.Table
    consents: pa.Table


@dataclass(frozen=True)
class News:
    """What of the arrived is new, and whom it is about.

    Attributes:
      events, profiles, consents: the records that stand; `replaces` marks those whose twin in the state they replace.
      projected: the projection of `events`, row by row.
      who: the number of the subject of each of `events`.
      repeated: how many arrived records lost to another of their key; `conflicts` of the events had other content.
      event_at: the earliest new event of each subject, or the end of time.
      by_profile, by_consent: the subjects with new rows of the kind.
    """

    events: pa.Table
    profiles: pa.Table
    consents: pa.Table
    projected: pa.Table
    who: Ints
    repeated: int
    conflicts: int
    event_at: Ints
    by_profile: Flags
    by_consent: Flags


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
    state, (e, p, c) = _number(state, arrived)
    events = _choose(state.events, arrived.events, e, EVENT_KEY)
    profiles = _choose(state.profiles, arrived.profiles, p, PROFILE_KEY)
    consents = _choose(state.consents, arrived.consents, c, CONSENT_KEY)
    projected = projection(con, events.rows)
    after = replace(
        state,
        events=_with_events(state.events, events, projected),
        profiles=_with_rows(state.profiles, profiles),
        consents=_with_rows(state.consents, consents),
    )
    news = News(
        events=events.rows,
        profiles=profiles.rows,
        consents=consents.rows,
        projected=projected,
        who=events.who,
        repeated=len(e) + len(p) + len(c) - len(events.who) - len(profiles.who) - len(consents.who),
        conflicts=events.conflicts,
        event_at=_earliest(after.count, events),
        by_profile=_flags(after.count, profiles.who),
        by_consent=_flags(after.count, consents.who),
    )
    return after, news


def _number(state: State, arrived: Arrived) -> tuple[State, list[Ints]]:
    """Give the subjects that are new their numbers, and tell whose each row is."""
    coded = [whole(table["subject"].dictionary_encode()) for table in (arrived.events, arrived.profiles, arrived.consents)]
    named = pc.unique(pa.concat_arrays([column.dictionary for column in coded]))
    new = named.filter(pc.invert(pc.is_in(named, value_set=state.ids)))
    added = pa.table({"subject": new, "next_at": np.full(len(new), FOREVER)}, schema=SUBJECTS)
    state = replace(state, subjects=joined(state.subjects, added))
    return state, [codes(column, state.ids) for column in coded]


def _choose(before: pa.Table, arrived: pa.Table, who: Ints, key: tuple[str, ...]) -> _Entry:
    """The arrived rows that stand, and the rows of the state that still do."""
    known = before[WHO].to_numpy()
    rivals = np.flatnonzero(_flags(max(int(known.max(initial=-1)), int(who.max(initial=-1))) + 1, who)[known])
    columns = {name: arrived[name] for name in dict.fromkeys((*key[1:], "received_at"))}
    columns["record_hash"] = digests(arrived["record_hash"], before.schema.field("record_hash").type.byte_width)
    candidates = pa.table({WHO: who, **columns})
    choice = deduplicate(before.select(candidates.column_names).take(pa.array(rivals)), candidates, key)
    kept = None if choice.stands.all() else np.delete(np.arange(len(known)), rivals[~choice.stands])
    rows = arrived if choice.enters.all() else arrived.filter(pa.array(choice.enters))
    return _Entry(
        rows.append_column("replaces", pa.array(choice.replaces)), who[choice.enters], kept, choice.conflicts
    )


def _standing(before: pa.Table, entry: _Entry) -> pa.Table:
    return before if entry.kept is None else before.take(pa.array(entry.kept))


def _with_rows(before: pa.Table, entry: _Entry) -> pa.Table:
    """The rows of the state that still stand and the new ones, by subject."""
    if not len(entry.who):
        return _standing(before, entry)
    both = joined(_standing(before, entry), remembered(entry.rows, entry.who, before.column_names[1:]))
    return both.take(pa.array(np.argsort(both[WHO].to_numpy(), kind="stable")))


def _with_events(before: pa.Table, entry: _Entry, projected: pa.Table) -> pa.Table:
    """The events of the state that still stand and the new ones, in order."""
    if not len(entry.who):
        return _standing(before, entry)
    new = remembered(entry.rows, entry.who, EVENTS)
    for name in projected.column_names:
        new = new.append_column(name, projected[name])
    both = joined(_standing(before, entry), new)
    index = event_order(ints(both[WHO], 0), ints(both["occurred_at"], 0), both["event_id"], both["source"])
    return both.take(pa.array(index))


def _earliest(count: int, entry: _Entry) -> Ints:
    earliest = np.full(count, FOREVER)
    np.minimum.at(earliest, entry.who, ints(entry.rows["occurred_at"], 0))
    return earliest


def _flags(count: int, who: Ints) -> Flags:
    flags = np.zeros(count, np.bool_)
    flags[who] = True
    return flags
