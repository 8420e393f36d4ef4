"""Consent rows as arrays: what each one claims, whether it may enter the ledger, and from when it acts (consent.md)."""

from collections.abc import Collection, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.coded import indices, whole
from transforms.algebra.order import FOREVER, Flags, Ints

SKEW = 5 * 60 * 1_000_000  # S: how far our clock and another may differ
BACKDATE = 15 * 60 * 1_000_000  # B: how far back a permissive row may reach from its receipt
PRECISIONS = {"us": 0, "s": 1_000_000, "day": 86_400_000_000}
CHANNELS = ("*", "email", "sms", "push", "phone", "post", "onsite", "ads")
CLEARING_METHODS = ("interactive", "double_opt_in", "parental")
METHODS = (*CLEARING_METHODS, "agent", "import", "signal")
CLEARING_ACTORS = ("subject", "guardian")
ACTORS = (*CLEARING_ACTORS, "controller", "system")
REASONS = ("malformed", "unknown_purpose", "future")
EVERY_PURPOSE, NO_PURPOSE = -1, -2
WHO = "_who"
"""The column of a state's rows that numbers their subjects; no declared property begins so."""


class Action(IntEnum):
    """What a row asks for, in the order of application at one instant: the most restrictive last."""

    UNOBJECT = 0
    GRANT = 1
    UNRESTRICT = 2
    INVALIDATE = 3
    DENY = 4
    WITHDRAW = 5
    RESTRICT = 6
    OBJECT = 7
    ERASE = 8


class Claims(NamedTuple):
    """The rows of a consents table as arrays of one entry a row.

    `action` is an `Action`, `purpose` an index of the registered purposes or EVERY_PURPOSE, `channel` one of CHANNELS.
    The claimed instant lies in [claimed_at, until_at]. `clears`: by its method and actor the row may lift an objection;
    `parental`: a parent made it.
    """

    action: Ints
    purpose: Ints
    channel: Ints
    claimed_at: Ints
    until_at: Ints
    received_at: Ints
    major: Ints
    expires_at: Ints
    clears: Flags
    parental: Flags
    retroactive: Flags
    snapshot: Flags
    trusted: Flags

    def take(self, index: Ints) -> "Claims":
        """The rows at `index`, in that order."""
        return Claims._make(column[index] for column in self)


def claims(consents: pa.Table, purposes: Sequence[str], trusted: Collection[str] = ()) -> Claims:
    """Read `consents`, none of them quarantined. `trusted` are the sources that declare `clock: trusted`."""
    claimed_at = ints(consents["claimed_at"], 0)
    precision = np.array([*PRECISIONS.values()])[codes(consents["claimed_precision"], [*PRECISIONS], 0)]
    methods, actors = codes(consents["method"], CLEARING_METHODS), codes(consents["actor"], CLEARING_ACTORS)
    return Claims(
        action=codes(consents["action"], [action.name for action in Action]),
        purpose=_purposes(consents["purpose"], purposes),
        channel=codes(consents["channel"], CHANNELS, 0),
        claimed_at=claimed_at,
        until_at=claimed_at + precision,
        received_at=ints(consents["received_at"], 0),
        major=ints(consents["purpose_major"], 1),
        expires_at=ints(consents["expires_at"], FOREVER),
        clears=(methods >= 0) & (actors >= 0),
        parental=methods == CLEARING_METHODS.index("parental"),
        retroactive=np.asarray(pc.fill_null(consents["retroactive"], False)).astype(np.bool_),
        snapshot=codes(consents["payload_kind"], ("snapshot",)) >= 0,
        trusted=codes(consents["source"], sorted(trusted)) >= 0,
    )


def permissive(action: Ints) -> Flags:
    """Whether each action permits; all others restrict."""
    return action <= Action.UNRESTRICT


def first_instants(rows: Claims) -> Ints:
    """The first instant at which each row acts: the latest plausible if it permits, the earliest if it restricts."""
    latest = np.maximum(np.minimum(rows.until_at, rows.received_at), rows.received_at - BACKDATE)
    return np.where(permissive(rows.action), latest, np.minimum(rows.claimed_at, rows.received_at))


def instants(rows: Claims) -> tuple[Ints, Ints]:
    """All instants at which rows act, as (row, at), each pair once.

    A restrictive row acts again at the end of its precision and, where an untrusted clock lags, at its receipt.
    """
    first = first_instants(rows)
    again = np.maximum(first, np.minimum(rows.until_at, rows.received_at))
    restricts = ~permissive(rows.action)
    lags = restricts & ~rows.trusted & (rows.received_at - rows.claimed_at > SKEW)
    row = np.arange(len(first))
    widened, late = row[restricts & (again > first)], row[lags & (rows.received_at > again)]
    return np.concatenate((row, widened, late)), np.concatenate((first, again[widened], rows.received_at[late]))


def effective_at(consents: pa.Table) -> pa.Array:
    """The stored column: the first instant at which each row acts, timestamp[us, UTC]; null where it is malformed."""
    known = pc.and_(pc.is_valid(consents["claimed_at"]), pc.is_valid(consents["received_at"]))
    known = pc.and_(known, pc.is_in(consents["action"], value_set=pa.array([action.name for action in Action])))
    first = pa.array(first_instants(claims(consents, ())), mask=~np.asarray(known).astype(np.bool_))
    return first.cast(pa.timestamp("us", "UTC"))


def quarantined(consents: pa.Table, purposes: Collection[str]) -> pa.Array:
    """Why each row is set aside for good: malformed, unknown_purpose, future; null where it enters the ledger.

    `purposes` are the registered ones. `future` is what permits from more than the skew after its receipt.
    """
    action = codes(consents["action"], [action.name for action in Action])
    permits = (action >= 0) & permissive(action)
    purpose = codes(consents["purpose"], ["*", *purposes])
    early = ints(consents["claimed_at"], 0) > ints(consents["received_at"], 0) + SKEW
    malformed = (permits & (purpose == 0)) | _malformed(consents, action, permits)
    reason = np.select([malformed, purpose < 0, permits & early], [0, 1, 2], -1)
    return pa.array(REASONS).take(pa.array(reason, mask=reason < 0))


def _malformed(consents: pa.Table, action: Ints, permits: Flags) -> Flags:
    """A required value missing, or one that is none of its column's.

    How a refusal was made changes nothing about it: only what permits answers for its method and actor.
    """
    bad = action < 0
    for name in ("event_id", "subject", "purpose"):
        bad |= codes(consents[name], ("",), 0) == 0 if name in consents.column_names else False
    for name in ("claimed_at", "received_at"):
        bad |= np.asarray(pc.is_null(consents[name])).astype(np.bool_)
    bad |= _foreign(consents["channel"], CHANNELS) | _foreign(consents["claimed_precision"], [*PRECISIONS])
    bad |= _foreign(consents["payload_kind"], ("delta", "snapshot"))
    return bad | (permits & (_foreign(consents["method"], METHODS) | _foreign(consents["actor"], ACTORS)))


def _foreign(column: pa.ChunkedArray, names: Sequence[str]) -> Flags:
    return codes(column, names, 0) < 0


def _purposes(column: pa.ChunkedArray, purposes: Sequence[str]) -> Ints:
    code = codes(column, ["*", *purposes])
    return np.where(code < 0, NO_PURPOSE, code - 1)


def owners(rows: pa.Table, subjects: pa.Array) -> Ints:
    """The number of each row's subject, -1 for none of `subjects`; rows of a state bear it already, as `who`."""
    return ints(rows[WHO], 0) if WHO in rows.column_names else codes(rows["subject"], subjects)


def codes(column: pa.ChunkedArray, names: Collection[str], absent: int = -1) -> Ints:
    """The index of each value in `names`: -1 for one that is not there, `absent` for null."""
    column = whole(column)
    if pa.types.is_dictionary(column.type):
        return np.append(codes(column.dictionary, names), absent)[indices(column, -1)]
    wanted = names if isinstance(names, pa.Array) else pa.array([*names], pa.string())
    code = np.asarray(pc.fill_null(pc.index_in(column, value_set=wanted), -1)).astype(np.int64)
    if absent >= 0 and column.null_count:
        code[np.asarray(pc.is_null(column)).astype(np.bool_)] = absent
    return code


def ints(column: pa.ChunkedArray, absent: int) -> Ints:
    """Integers or instants as int64, `absent` for null."""
    column = whole(column)
    if column.null_count:
        column = pc.fill_null(column.cast(pa.int64()), absent)
    values = column.view(pa.int64()) if pa.types.is_timestamp(column.type) else column
    return values.to_numpy().astype(np.int64, copy=False)
