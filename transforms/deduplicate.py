"""One record for each (source, subject, event id): the first received, then the smallest content (semantics 2.6)."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import ints
from transforms.algebra.order import Flags, Ints, firsts


class Choice(NamedTuple):
    """Which records stand: `wins` has an entry a record; `conflicts` counts those that lost to other content."""

    wins: Flags
    conflicts: int


def deduplicate(who: Ints, records: pa.Table) -> Choice:
    """Choose among `records` (`source, event_id, received_at, record_hash`), `who` being the number of each one's subject."""
    key = _key(who, records["source"], records["event_id"])
    index = np.argsort(key, kind="stable")
    begins = firsts(key[index])
    wins = np.ones(len(key), np.bool_)
    crowded = index[_in_runs(begins)]
    if not len(crowded):
        return Choice(wins, 0)
    key, rivals = key[crowded], records.select(["received_at", "record_hash"]).take(pa.array(crowded))
    ranked, content = _by_claim(key, rivals)
    first = firsts(key[ranked])
    wins[crowded[ranked[~first]]] = False
    winner = np.repeat(content[ranked][first], np.diff(np.append(np.flatnonzero(first), len(first))))
    return Choice(wins, int((content[ranked] != winner).sum()))


def _key(who: Ints, source: pa.ChunkedArray, event_id: pa.ChunkedArray) -> Ints:
    """Equal numbers for equal (source, subject, event id)."""
    sources, ids = _codes(source), _codes(event_id)
    spread = int(ids.max(initial=0)) + 1
    return (who * (int(sources.max(initial=0)) + 1) + sources) * spread + ids


def _codes(column: pa.ChunkedArray) -> Ints:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False)).astype(np.int64)


def _in_runs(begins: Flags) -> Flags:
    """The rows, in sorted order, that share their key with another."""
    ends = np.append(begins[1:], np.True_)
    return ~(begins & ends)


def _by_claim(key: Ints, rivals: pa.Table) -> tuple[Ints, Ints]:
    """The order by (key, received_at, content), and a number for each content that sorts as its bytes do."""
    content = np.asarray(pc.rank(rivals["record_hash"].combine_chunks().cast(pa.binary()), tiebreaker="dense")).astype(np.int64)
    return np.lexsort((content, ints(rivals["received_at"], 0), key)), content
