"""The kinds of facts: their tables, what tells facts apart, what dates them, what is kept. A further kind is declared here."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

import pyarrow as pa

from schemas import consent, event, identity, profile, score
from schemas.definitions.datatype import DataType


@dataclass(frozen=True)
class Kind:
    """One kind of facts.

    Attributes:
      noun: the module that says the columns of its table.
      key: what no two facts share. Two bodies of one consent id are two rows of the ledger.
      own: the instant that a record says of itself: a receipt that is not told is that.
      at: the instant from which on a fact acts.
      dated: in SQL, the first instant at which it changes anything.
      content: the columns beside the properties that the content hash is about, as far as they are said.
      kept: the columns that a state keeps beside the subject; None: all of them.
      about: in SQL, what definitions call it by.
      introduces: in SQL, whether a subject is known by it.
      ids: the columns that name subjects.
    """

    noun: ModuleType
    key: tuple[str, ...]
    own: str
    at: str
    dated: str
    content: tuple[str, ...]
    kept: tuple[str, ...] | None
    about: str = "''"
    introduces: str = "true"
    ids: tuple[str, ...] = ("subject",)

    @property
    def name(self) -> str:
        """The kind as a source says it, which is its table's name too."""
        return str(self.noun.TABLE)

    def schema(self, columns: Mapping[str, DataType]) -> pa.Schema:
        """The columns of its table, with the properties that sources declare behind them, by name."""
        return pa.schema([*self.noun.SCHEMA, *(pa.field(name, columns[name].arrow) for name in sorted(columns))])

    def remembered(self, schema: pa.Schema) -> tuple[str, ...]:
        """What a state keeps of facts with these columns."""
        return self.kept or tuple(name for name in schema.names if name != "subject")


EVENTS = Kind(
    noun=event,
    key=("source", "subject", "event_id"),
    own="occurred_at",
    at="occurred_at",
    dated="occurred_at",
    content=("event", "event_id", "occurred_at", "subject"),
    kept=("source", "event_id", "occurred_at", "received_at", "record_hash"),
    about="event",
)
PROFILES = Kind(
    noun=profile,
    key=("source", "subject", "position"),
    own="valid_from",
    at="valid_from",
    dated="valid_from",
    content=("subject", "valid_from", "payload", "explicit_nulls"),
    kept=None,
)
CONSENTS = Kind(
    noun=consent,
    key=("source", "subject", "purpose", "channel", "event_id", "record_hash"),
    own="claimed_at",
    at="effective_at",
    # what a snapshot leaves out it withdraws, from before its own rows may permit anything
    dated="least(effective_at, CASE WHEN payload_kind = 'snapshot' THEN claimed_at ELSE effective_at END)",
    content=tuple(
        name
        for name in consent.SCHEMA.names
        if name not in ("source", "received_at", "effective_at", "record_hash")
    ),
    kept=(*consent.DECIDING, "effective_at"),
    about="purpose",
    introduces=f"action IN ({', '.join(repr(action) for action in consent.PERMISSIVE)})",
)
IDENTITIES = Kind(
    noun=identity,
    key=("source", "subject", "position"),
    own="linked_at",
    at="linked_at",
    dated="linked_at",
    content=("subject", "to_id", "linked_at"),
    kept=None,
    ids=("subject", "to_id"),
)
SCORES = Kind(
    noun=score,
    key=("source", "subject", "position"),
    own="valid_from",
    at="valid_from",
    dated="valid_from",
    content=("subject", "model", "version", "value", "label", "valid_from"),
    kept=None,
    about="model",
    introduces="false",
)
KINDS = {kind.name: kind for kind in (EVENTS, PROFILES, CONSENTS, IDENTITIES, SCORES)}


def schemas_of(declared: Mapping[str, Mapping[str, DataType]]) -> dict[str, pa.Schema]:
    """The columns of the facts of each kind, given the properties that sources of a kind declare."""
    return {name: kind.schema(declared.get(name, {})) for name, kind in KINDS.items()}
