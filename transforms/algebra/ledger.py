"""The consent ledger: which rows are facts, what snapshots imply, and when each row acts (consent.md)."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.consent import DECIDING
from transforms.algebra.claims import (
    CHANNELS,
    EVERY_PURPOSE,
    Action,
    Claims,
    claims,
    codes,
    first_instants,
    instants,
    owners,
    permissive,
    quarantined,
)
from transforms.algebra.coded import indices, whole
from transforms.algebra.order import FOREVER, Ints, firsts, lasts, stable_order

_WIDEST = 1 << 62


class Ledger(NamedTuple):
    """The accepted rows of so many subjects and the instants at which they act.

    `who` (the subject), `row` (its row in the consents, or the snapshot's that implies it) and `rows`: an entry a row.
    `act` (an index into them) and `at` have an entry an act, in the order of application: (who, at, action, event_id).
    """

    subjects: int
    who: Ints
    row: Ints
    rows: Claims
    act: Ints
    at: Ints


def ledger(consents: pa.Table, subjects: pa.Array, purposes: Sequence[str], trusted: Collection[str] = ()) -> Ledger:
    """Read what is seen of `consents` for `subjects`, numbered in their order; other subjects' rows are left out.

    `purposes` are all registered ones, `trusted` the sources that declare `clock: trusted`.
    """
    who = owners(consents, subjects)
    seen = np.flatnonzero((who >= 0) & np.asarray(quarantined(consents, purposes).is_null()).astype(np.bool_))
    consents, who = _rows(consents, seen), who[seen]
    rows = claims(consents, purposes, trusted)
    accepted, heard = _accept(consents, who, rows)
    implied, missing = _implied(consents, who, rows, accepted, heard, len(purposes))
    row = np.concatenate((accepted, implied))
    every = _withdrawals(rows, accepted, implied, missing)
    act, at = _in_order(consents, row, who[row], every)
    return Ledger(len(subjects), who[row], seen[row], every, act, at)


def first_permissive(entries: Ledger) -> Ints:
    """The instant of each subject's first permissive row, whatever became of it; FOREVER where there is none (3.3)."""
    first = np.full(entries.subjects, FOREVER)
    permits = permissive(entries.rows.action)
    np.minimum.at(first, entries.who[permits], first_instants(entries.rows)[permits])
    return first


def erased_at(entries: Ledger) -> Ints:
    """When each subject was erased, for whichever purpose; FOREVER where it was not."""
    erases = (entries.rows.action == Action.ERASE) & (entries.rows.channel == 0)
    erased, acts = np.full(entries.subjects, FOREVER), erases[entries.act]
    np.minimum.at(erased, entries.who[entries.act[acts]], entries.at[acts])
    return erased


def _rows(consents: pa.Table, seen: Ints) -> pa.Table:
    """The rows at `seen`, with the columns that are read."""
    table = consents.select(DECIDING)
    return table if len(seen) == len(table) else table.take(pa.array(seen))


def _accept(consents: pa.Table, who: Ints, rows: Claims) -> tuple[Ints, Ints]:
    """The rows that are facts, in order; and these with what lost to them, repeats left out."""
    key = keys(consents, who)
    index = np.argsort(key, kind="stable")
    alone = firsts(key[index]) & lasts(key[index])
    twins = index[~alone]
    if not len(twins):
        return np.arange(len(key)), np.arange(len(key))
    accepted, heard = (np.sort(np.concatenate((index[alone], some))) for some in _settle_twins(twins, key, consents, rows))
    return accepted, heard


def _settle_twins(twins: Ints, key: Ints, consents: pa.Table, rows: Claims) -> tuple[Ints, Ints]:
    """Of rows that share keys: what restricts, else the latest permission; and each body once, as first received.

    Of permissions in effect from one instant, that of the smallest hash, as with all twins (semantics 2.6).
    """
    body = np.zeros(len(key), np.int64)
    body[twins] = _bodies(consents["record_hash"].take(pa.array(twins)))
    twins = twins[np.lexsort((rows.received_at[twins], body[twins], key[twins]))]
    twins = twins[firsts(key[twins], body[twins])]
    permits = permissive(rows.action[twins])
    twins = twins[np.lexsort((-body[twins], first_instants(rows)[twins], permits, key[twins]))]
    first, permits = firsts(key[twins]), permissive(rows.action[twins])
    restricted = ~permits[np.flatnonzero(first)][np.cumsum(first) - 1]  # what restricts is sorted to the front
    applies = np.where(restricted, ~permits, lasts(key[twins]))
    return twins[applies], twins


def _implied(
    consents: pa.Table, who: Ints, rows: Claims, accepted: Ints, heard: Ints, purposes: int
) -> tuple[Ints, Ints]:
    """What snapshots withdraw: (row of the snapshot, purpose) for each registered purpose without a fact in it.

    Where the rows of a snapshot differ in their instants, the purpose is withdrawn at all of them, also at those of a row
    that lost to another body: what a refusal has closed, no twin may open.
    """
    among = heard[rows.snapshot[heard]]
    if not len(among):
        return among, among
    source, event = _dense(consents["source"])[among], _dense(consents["event_id"])[among]
    group = np.unique(_pack(who[among], source, event), return_inverse=True)[1]
    present = np.zeros((int(group.max()) + 1, purposes + 1), np.bool_)
    governs = np.isin(among, accepted) & (rows.channel[among] == 0) & (rows.purpose[among] != EVERY_PURPOSE)
    present[group[governs], rows.purpose[among[governs]]] = True
    present[:, purposes] = True
    when = (rows.claimed_at[among], rows.until_at[among], rows.received_at[among])
    index = np.lexsort((*when, group))
    distinct = index[firsts(group[index], *(instant[index] for instant in when))]
    which, missing = np.nonzero(~present[group[distinct]])
    return among[distinct[which]], missing


def _withdrawals(rows: Claims, accepted: Ints, implied: Ints, missing: Ints) -> Claims:
    """The accepted rows, followed by the withdrawals that snapshots imply."""
    every = rows.take(np.concatenate((accepted, implied)))
    added = slice(len(accepted), None)
    every.action[added], every.purpose[added], every.channel[added] = Action.WITHDRAW, missing, 0
    return every


def _in_order(consents: pa.Table, row: Ints, who: Ints, every: Claims) -> tuple[Ints, Ints]:
    """The acts of all rows in the order of application; by event_id only grants: of others it is free."""
    act, at = instants(every)
    kind = _pack(every.action, every.channel, every.purpose)
    act, at = _sorted(who, at, kind, act)
    alone = firsts(who[act], at, kind[act]) & lasts(who[act], at, kind[act])
    tied = act[~alone & (every.action[act] == Action.GRANT)]
    if len(tied):
        rank = np.zeros(len(kind), np.int64)
        rank[tied[_by_event(consents, row[tied])]] = np.arange(len(tied))
        act, at = _sorted(who, at, kind * len(tied) + rank, act)
    return act, at


def _sorted(who: Ints, at: Ints, minor: Ints, act: Ints) -> tuple[Ints, Ints]:
    index = np.argsort(minor[act], kind="stable")
    index = index[stable_order(who[act[index]], at[index])]
    return act[index], at[index]


def _by_event(consents: pa.Table, row: Ints) -> Ints:
    """The permutation of rows by (event_id, source, content hash), all by bytes."""
    names = ("event_id", "source", "record_hash")
    columns = pa.table({name: consents[name].take(pa.array(row)).cast(pa.binary()) for name in names})
    return np.asarray(pc.sort_indices(columns, [(name, "ascending") for name in names])).astype(np.int64)


def keys(consents: pa.Table, who: Ints) -> Ints:
    """A number for each row's key (source, subject, purpose, channel, event_id)."""
    names = ("source", "purpose", "event_id")
    return _pack(who, codes(consents["channel"], CHANNELS, 0), *(_dense(consents[name]) for name in names))


def _pack(*parts: Ints) -> Ints:
    """One number for each combination of small numbers of -1 and up."""
    key, width = np.zeros(len(parts[0]), np.int64), 1
    for part in parts:
        size = int(part.max(initial=0)) + 2
        if width * size > _WIDEST:
            distinct, key = np.unique(key, return_inverse=True)
            width = len(distinct)
        key, width = key * size + part + 1, width * size
    return key


def _dense(column: pa.ChunkedArray) -> Ints:
    """A number for each distinct value, null counting as one."""
    column = whole(column)
    return indices(column if pa.types.is_dictionary(column.type) else column.dictionary_encode(), -1)


def _bodies(column: pa.ChunkedArray) -> Ints:
    """The rank of each content hash."""
    hashes = whole(column)
    width = hashes.type.byte_width
    raw = np.frombuffer(hashes.buffers()[1], f"S{width}", len(hashes), hashes.offset * width)
    return np.unique(raw, return_inverse=True)[1]
