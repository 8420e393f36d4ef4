"""New facts enter a state: numbered, de-duplicated, projected, and merged in order."""

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import codes, ints
from transforms.algebra.order import BEGINNING, Flags, Ints, firsts
from transforms.algebra.project import Projection
from transforms.algebra.state import EVENTS, State, event_order
from transforms.deduplicate import deduplicate


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
      events, profiles, consents: the records that stand, as tables to append; `replaces` marks those whose twin, already
        in the state, they replace.
      projected: the columns of the projection for `events`.
      repeated: for each arrived event, whether it lost to another record of its id; `conflicts` of them had other content.
      by_consent, by_profile, by_event: the earliest new fact of each subject, or the end of time.
    """

    events: pa.Table
    profiles: pa.Table
    consents: pa.Table
    projected: pa.Table
    repeated: int
    conflicts: int
    touched: Ints
    by_consent: Flags
    by_profile: Flags
    event_at: Ints


def absorb(state: State, arrived: Arrived, projection: Projection, con: duckdb.DuckDBPyConnection) -> tuple[State, News]:
    """The state with the arrived facts in it, and what was new."""
    state = _number(state, arrived)
    events, kept, choice = _choose_events(state, arrived.events)
    projected = projection(con, events)
    profiles, standing_profiles = _choose_rows(state.profiles, arrived.profiles, ("source", "subject", "position"))
    identity = ("source", "subject", "purpose", "channel", "event_id", "record_hash")
    consents, standing_consents = _choose_rows(state.consents, arrived.consents, identity)
    news = _news(state, events, projected, profiles, consents, choice)
    after = replace(
        state,
        events=_merge(state, kept, events, projected),
        profiles=pa.concat_tables([standing_profiles, profiles.drop_columns("replaces")]),
        consents=pa.concat_tables([standing_consents, consents.drop_columns("replaces")]),
    )
    return after, news
