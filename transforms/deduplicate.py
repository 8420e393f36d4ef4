"""One record for each key: the first received, then the smallest content (semantics 2.6)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import ints
from transforms.algebra.order import Flags, Ints, firsts


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
    """Choose among all records, those of `before` and the `arrived`; each has the columns `key, received_at, record_hash`."""
    columns = list(dict.fromkeys([*key, "received_at", "record_hash"]))
    records = pa.concat_tables([before.select(columns), arrived.select(columns).cast(before.select(columns).schema)])
    keys = key_codes(records, key)
    wins, conflicts = _winners(keys, records)
    old, new = keys[: len(before)], keys[len(before) :]
    stands, enters = wins[: len(before)], wins[len(before) :]
    return Choice(stands, enters, np.isin(new[enters], old[~stands]), conflicts)


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
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
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
