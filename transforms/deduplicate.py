"""One record for each key: the first received, then the smallest content (semantics 2.6)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import WHO, ints
from transforms.algebra.coded import indices, plain, whole
from transforms.algebra.order import Flags, Ints, firsts
from transforms.subject_hash import Hashes, mixed, subject_hash

_TELLING = (WHO, "event_id", "position", "record_hash")
"""Of the columns of keys those that have many values."""


class Choice(NamedTuple):
    """Which records stand. The first of them stood before, the others have arrived.

    Attributes:
      stands: for each record that stood before, whether it still does.
      enters: for each that arrived, whether it stands.
      replaces: for each that enters, whether one that stood before had its key.
      conflicts: how many lost to a record with other content.
    """

    stands: Flags
    enters: Flags
    replaces: Flags
    conflicts: int


def deduplicate(before: pa.Table, arrived: pa.Table, key: Sequence[str]) -> Choice:
    """Choose among all records, those of `before` and the `arrived`; each has the columns `key, received_at, record_hash`.

    Only records whose keys look alike by a hash are compared.
    """
    columns = list(dict.fromkeys([*key, "received_at", "record_hash"]))
    old, new = _alike(before, arrived, key)
    rivals = [_plain(table.select(columns).take(pa.array(rows))) for table, rows in ((before, old), (arrived, new))]
    keys, wins, conflicts = _settled(pa.concat_tables([rivals[0], rivals[1].cast(rivals[0].schema)]), key)
    stands, enters = np.ones(len(before), np.bool_), np.ones(len(arrived), np.bool_)
    stands[old], enters[new] = wins[: len(old)], wins[len(old) :]
    lost = keys[: len(old)][~stands[old]]
    replaces = np.zeros(len(arrived), np.bool_)
    replaces[new] = np.isin(keys[len(old) :], lost)
    return Choice(stands, enters, replaces[enters], conflicts)


def _alike(before: pa.Table, arrived: pa.Table, key: Sequence[str]) -> tuple[Ints, Ints]:
    """The records of both whose keys may not be the only ones."""
    old, new = _hashes(before, key), _hashes(arrived, key)
    ordered = np.sort(np.concatenate((old, new)))
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.flatnonzero(np.isin(old, repeated)), np.flatnonzero(np.isin(new, repeated))


def _hashes(records: pa.Table, key: Sequence[str]) -> Hashes:
    """A number for each record, the same for equal keys."""
    code = np.zeros(len(records), np.uint64)
    for name in key:
        code = mixed(code + _hash(whole(records[name]))) if name in _TELLING else code
    return code


def _hash(column: pa.Array) -> Hashes:
    if pa.types.is_dictionary(column.type):
        return np.append(subject_hash(column.dictionary), np.uint64(0))[indices(column, -1)]
    if pa.types.is_string(column.type):
        return subject_hash(column.fill_null(""))
    if pa.types.is_fixed_size_binary(column.type):
        return _first_word(column)
    return ints(column, 0).astype(np.uint64)


def _first_word(column: pa.Array) -> Hashes:
    width = column.type.byte_width
    raw = np.frombuffer(column.buffers()[1], np.uint8, len(column) * width, column.offset * width)
    return np.ascontiguousarray(raw.reshape(-1, width)[:, :8]).view(np.uint64).ravel()


def _plain(records: pa.Table) -> pa.Table:
    return pa.table({name: plain(records[name]) for name in records.column_names})


def _settled(records: pa.Table, key: Sequence[str]) -> tuple[Ints, Flags, int]:
    keys = key_codes(records, key)
    return keys, *_winners(keys, records)


def key_codes(records: pa.Table, key: Sequence[str]) -> Ints:
    """Equal numbers for equal keys."""
    code = np.zeros(len(records), np.int64)
    for name in key:
        part, size = _codes(records[name])
        if int(code.max(initial=0)) >= (1 << 62) // max(size, 1):
            code = np.unique(code, return_inverse=True)[1].astype(np.int64)
        code = code * size + part
    return code


def _codes(column: pa.ChunkedArray) -> tuple[Ints, int]:
    if pa.types.is_integer(column.type):
        values = ints(column, 0)
        return values, int(values.max(initial=0)) + 1
    encoded = whole(column).dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices).astype(np.int64), len(encoded.dictionary)


def _winners(key: Ints, records: pa.Table) -> tuple[Flags, int]:
    index = np.argsort(key, kind="stable")
    begins = firsts(key[index])
    wins = np.ones(len(key), np.bool_)
    crowded = index[~(begins & np.append(begins[1:], np.True_)[: len(begins)])]
    if not len(crowded):
        return wins, 0
    rivals = records.select(["received_at", "record_hash"]).take(pa.array(crowded))
    hashes = rivals["record_hash"].combine_chunks().cast(pa.binary())
    content = np.asarray(pc.rank(hashes, tiebreaker="dense")).astype(np.int64)
    ranked = np.lexsort((content, ints(rivals["received_at"], 0), key[crowded]))
    first = firsts(key[crowded][ranked])
    wins[crowded[ranked[~first]]] = False
    winner = np.repeat(content[ranked][first], np.diff(np.append(np.flatnonzero(first), len(first))))
    return wins, int((content[ranked] != winner).sum())
