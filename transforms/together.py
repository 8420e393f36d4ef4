"""Ids that may be one subject lie in one shard: those that any link has ever connected (semantics 6.3)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import codes
from transforms.algebra.forest import connected
from transforms.algebra.order import Flags, Ints
from transforms.subject_hash import Hashes, subject_hash


class Together(NamedTuple):
    """Ids that links connect, string and distinct, and for each the id of its group that stands for all of it."""

    ids: pa.Array
    by: pa.Array

    hashes: Hashes
    """Of the ids, rising."""
    by_hashes: Hashes
    """Of the ids that stand for them, in the order of `hashes`."""

    def standing(self, hashes: Hashes) -> Hashes:
        """The hash of the id that stands for each subject, by its own; its own, of who is not connected."""
        if not len(self.hashes):
            return hashes
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[place] == hashes, self.by_hashes[place], hashes)

    def with_linked(self, subjects: pa.Array) -> pa.Array:
        """The subjects and all ids that are connected with any of them, each once."""
        by = self.by.filter(pc.is_in(self.ids, value_set=subjects))
        return pc.unique(pa.concat_arrays([subjects, self.ids.filter(pc.is_in(self.by, value_set=by))]))


    def write(self, path: Path) -> None:
        """Write a file for `read_together`."""
        batch = pa.record_batch([self.ids, self.by], names=["ids", "by"])
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, batch.schema) as stream:
            stream.write_batch(batch)


def read_together(path: Path) -> Together:
    """What was written."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        batch = stream.read_next_batch()
    return _of(batch["ids"], batch["by"])


def _of(ids: pa.Array, by: pa.Array) -> Together:
    hashes, by_hashes = subject_hash(ids), subject_hash(by)
    index = np.argsort(hashes)
    return Together(ids, by, hashes[index], by_hashes[index])


NOBODY = _of(pa.array([], pa.string()), pa.array([], pa.string()))


def together(links: pa.Table) -> Together:
    """Read links, `subject` and `to_id`, in any order; those that undo connect nobody.

    Groups are called by an id that was never merged, the smallest: who comes to a group does not move it.
    """
    ends = links.filter(_names(links["to_id"])) if len(links) else links
    if not len(ends):
        return NOBODY
    child, parent = (ends[name].combine_chunks() for name in ("subject", "to_id"))
    ids = pc.unique(pa.concat_arrays([child, parent]))
    one, other = codes(child, ids), codes(parent, ids)
    label = connected(len(ids), one, other)
    merged = np.zeros(len(ids), np.bool_)
    merged[one] = True
    return _of(ids, ids.take(pa.array(_first_of(label, merged, ids))))


def _names(to_id: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.not_equal(pc.fill_null(to_id, ""), "")


def _first_of(label: Ints, merged: Flags, ids: pa.Array) -> Ints:
    """For each id the first of its label, those that were never merged before the others."""
    rank = np.empty(len(ids), np.int64)
    rank[np.asarray(pc.sort_indices(ids))] = np.arange(len(ids))
    index = np.lexsort((rank, merged, label))
    first = np.empty(len(ids), np.int64)
    first[label[index][::-1]] = index[::-1]
    return first[label]
