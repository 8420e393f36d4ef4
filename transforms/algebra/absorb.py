"""New facts enter a state: numbered, de-duplicated, projected, and merged in order."""

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import codes, ints
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.project import Projection
from transforms.algebra.state import EVENTS, SUBJECTS, State, event_order
from transforms.deduplicate import Choice, deduplicate

EVENT_KEY = ("who", "source", "event_id")
CONTENT = ("received_at", "record_hash")
PROFILE_KEY = ("source", "subject", "position")
CONSENT_KEY = ("source", "subject", "purpose", "channel", "event_id", "record_hash")


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
      repeated: how many arrived records lost to another of their key; `conflicts` of the events had other content.
      event_at: the earliest new event of each subject, or the end of time.
      by_profile, by_consent: the subjects with new rows of the kind.
    """

    events: pa.Table
    profiles: pa.Table
    consents: pa.Table
    projected: pa.Table
    repeated: int
    conflicts: int
    event_at: Ints
    by_profile: Flags
    by_consent: Flags

    @property
    def touched(self) -> Flags:
        """The subjects of which there is anything new."""
        return (self.event_at != FOREVER) | self.by_profile | self.by_consent


def absorb(
    state: State, arrived: Arrived, projection: Projection, con: duckdb.DuckDBPyConnection
) -> tuple[State, News]:
    """The state with the arrived facts in it, and what was new."""
    state = _number(state, arrived)
    events, kept, conflicts = _choose_events(state, arrived.events)
    projected = projection(con, events)
    standing_profiles, profiles = _choose_rows(state.profiles, arrived.profiles, PROFILE_KEY)
    standing_consents, consents = _choose_rows(state.consents, arrived.consents, CONSENT_KEY)
    after = replace(
        state,
        events=_merge(state, kept, events, projected),
        profiles=pa.concat_tables([standing_profiles, profiles.drop_columns("replaces")]),
        consents=pa.concat_tables([standing_consents, consents.drop_columns("replaces")]),
    )
    read = len(arrived.events) + len(arrived.profiles) + len(arrived.consents)
    news = News(
        events=events,
        profiles=profiles,
        consents=consents,
        projected=projected,
        repeated=read - len(events) - len(profiles) - len(consents),
        conflicts=conflicts,
        event_at=_earliest(after, events),
        by_profile=_subjects_of(after, profiles),
        by_consent=_subjects_of(after, consents),
    )
    return after, news


def _number(state: State, arrived: Arrived) -> State:
    """Give the subjects that are new their numbers."""
    tables = (arrived.events, arrived.profiles, arrived.consents)
    named = pc.unique(pa.chunked_array([chunk for table in tables for chunk in table["subject"].chunks], pa.string()))
    new = named.filter(pc.invert(pc.is_in(named, value_set=state.ids)))
    added = pa.table({"subject": new, "feature_next_at": np.full(len(new), FOREVER)}, schema=SUBJECTS)
    return replace(state, subjects=pa.concat_tables([state.subjects, added]).combine_chunks())


def _choose_events(state: State, arrived: pa.Table) -> tuple[pa.Table, Ints, int]:
    """The arrived events that stand, the rows of the state that still do, and how many lost to other content."""
    who = codes(arrived["subject"], state.ids)
    known = ints(state.events["who"], 0)
    rivals = np.flatnonzero(np.isin(known, who))
    numbered = arrived.select(EVENT_KEY[1:] + CONTENT).add_column(0, "who", pa.array(who))
    choice = deduplicate(state.events.select([*EVENT_KEY, *CONTENT]).take(pa.array(rivals)), numbered, EVENT_KEY)
    kept = np.delete(np.arange(len(known)), rivals[~choice.stands])
    return _entering(arrived, choice), kept, choice.conflicts


def _choose_rows(before: pa.Table, arrived: pa.Table, key: tuple[str, ...]) -> tuple[pa.Table, pa.Table]:
    """The rows that still stand, and the arrived ones that do."""
    choice = deduplicate(before, arrived, key)
    return before.filter(pa.array(choice.stands)), _entering(arrived, choice)


def _entering(arrived: pa.Table, choice: Choice) -> pa.Table:
    return arrived.filter(pa.array(choice.enters)).append_column("replaces", pa.array(choice.replaces))


def _merge(state: State, kept: Ints, events: pa.Table, projected: pa.Table) -> pa.Table:
    """The events of the state that still stand and the new ones, in order."""
    who, at = codes(events["subject"], state.ids), ints(events["occurred_at"], 0)
    new = pa.table({"who": who, "at": at}).append_column("source", events["source"])
    for name in EVENTS.names[3:]:
        new = new.append_column(name, events[name])
    for name in projected.column_names:
        new = new.append_column(name, projected[name])
    standing = state.events if len(kept) == len(state.events) else state.events.take(pa.array(kept))
    both = pa.concat_tables([standing, new.cast(standing.schema)])
    index = event_order(ints(both["who"], 0), ints(both["at"], 0), both["event_id"], both["source"])
    return both.take(pa.array(index)).combine_chunks()


def _earliest(state: State, events: pa.Table) -> Ints:
    earliest = np.full(state.count, FOREVER)
    np.minimum.at(earliest, codes(events["subject"], state.ids), ints(events["occurred_at"], 0))
    return earliest


def _subjects_of(state: State, rows: pa.Table) -> Flags:
    flags = np.zeros(state.count, np.bool_)
    flags[codes(rows["subject"], state.ids)] = True
    return flags
