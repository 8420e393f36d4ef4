"""A hash of subjects that is the same on every machine and in every version."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.columns import LOW_BYTES, eight_bytes, offsets_of

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


def mixed(hashes: Hashes) -> Hashes:
    """Numbers with every bit spread over all others."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX[0]
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _MIX[1]
    return hashes ^ (hashes >> np.uint64(31))
