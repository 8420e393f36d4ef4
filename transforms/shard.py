"""Shards of subjects, by a hash that is the same on every machine and in every version."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.algebra.order import Ints
from transforms.columns import LOW_BYTES, eight_bytes, offsets_of
from transforms.together import NOBODY, Together

Hashes = npt.NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # SplitMix64, Steele and others 2014


def subject_hash(subjects: pa.Array) -> Hashes:
    """A 64-bit hash of each text: its UTF-8, eight bytes at a time, mixed as in SplitMix64. No nulls."""
    if not len(subjects):
        return np.empty(0, np.uint64)
    offsets = offsets_of(subjects)
    content = np.frombuffer(subjects.buffers()[2] or b"", np.uint8)
    words = eight_bytes(content)
    start, length = offsets[:-1], np.diff(offsets)
    hashes = length.astype(np.uint64) * _ODD
    for index in range(int(length.max(initial=0) + 7) // 8):
        left = np.clip(length - 8 * index, 0, 8)
        rows = slice(None) if left.all() else np.flatnonzero(left)
        word = words[start[rows] + 8 * index] & LOW_BYTES[left[rows]]
        hashes[rows] = mixed((hashes[rows] ^ word) * _ODD)
    return mixed(hashes)


def shard_of(hashes: Hashes, shards: int) -> Ints:
    """The shard of each hash."""
    return (hashes % np.uint64(shards)).astype(np.int64)


def shards_of(subjects: pa.Array, shards: int, together: Together = NOBODY) -> Ints:
    """The shard of each subject."""
    return shard_of(subject_hash(together.standing(subjects)), shards)


def split(batch: pa.RecordBatch, shards: int, together: Together = NOBODY) -> list[tuple[int, pa.RecordBatch]]:
    """The batch by shard of its `subject`, or of the id that stands for it; rows in their order: one sort, then slices."""
    encoded = batch.column("subject").dictionary_encode()
    shard = shards_of(encoded.dictionary, shards, together)[encoded.indices.to_numpy(zero_copy_only=False)]
    index = np.argsort(shard, kind="stable")
    ordered = batch.take(pa.array(index))
    present, begins = np.unique(shard[index], return_index=True)
    ends = np.append(begins[1:], len(index))
    return [(int(s), ordered.slice(int(a), int(b - a))) for s, a, b in zip(present, begins, ends, strict=True)]


def mixed(hashes: Hashes) -> Hashes:
    """Numbers with every bit spread over all others."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX[0]
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _MIX[1]
    return hashes ^ (hashes >> np.uint64(31))
