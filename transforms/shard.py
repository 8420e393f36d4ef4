"""Shards of subjects, by a hash that is the same on every machine and in every version."""

import numpy as np
import pyarrow as pa

from transforms.algebra.order import Ints
from transforms.subject_hash import Hashes, subject_hash
from transforms.together import NOBODY, Together


def shard_of(hashes: Hashes, shards: int) -> Ints:
    """The shard of each hash."""
    return (hashes % np.uint64(shards)).astype(np.int64)


def shards_of(subjects: pa.Array, shards: int, together: Together = NOBODY) -> Ints:
    """The shard of each subject."""
    return shard_of(together.standing(subject_hash(subjects)), shards)


def split(batch: pa.RecordBatch, shards: int, together: Together = NOBODY) -> list[tuple[int, pa.RecordBatch]]:
    """The batch by shard of its `subject`, or of the id that stands for it; rows in their order: one sort, then slices."""
    encoded = batch.column("subject").dictionary_encode()
    shard = shards_of(encoded.dictionary, shards, together)[encoded.indices.to_numpy(zero_copy_only=False)]
    index = np.argsort(shard, kind="stable")
    ordered = batch.take(pa.array(index))
    present, begins = np.unique(shard[index], return_index=True)
    ends = np.append(begins[1:], len(index))
    return [(int(s), ordered.slice(int(a), int(b - a))) for s, a, b in zip(present, begins, ends, strict=True)]
