"""A subject's shard is the same on every machine and in every version."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.shard import shard_of, split
from transforms.subject_hash import subject_hash

GOLDEN = [
    "0000000000000000",
    "ddc2506e7cad79bb",
    "bb300c078d3cce47",
    "109df8efc33dc6bd",
    "998257fc798daaf9",
    "417e84bbfb6d744c",
    "94203677f6c036b5",
]
"""Computed byte by byte by another program."""


def test_hashes_never_change() -> None:
    subjects = pa.array(["", "a", "ann", "12345678", "123456789", "ünïcødé", "x" * 100])
    assert [f"{one:016x}" for one in subject_hash(subjects).tolist()] == GOLDEN


@given(st.lists(st.text(max_size=30), min_size=1, max_size=30), st.integers(0, 10))
def test_a_hash_is_of_the_subject_alone(subjects: list[str], skipped: int) -> None:
    whole = pa.array(subjects)
    part = whole.slice(min(skipped, len(subjects)))
    assert subject_hash(part).tolist() == subject_hash(whole).tolist()[len(whole) - len(part) :]
    assert subject_hash(pa.array([subjects[0]])).tolist() == subject_hash(whole).tolist()[:1]


def test_shards_are_even() -> None:
    sizes = np.bincount(shard_of(subject_hash(pa.array([f"user-{one}" for one in range(64_000)])), 64))
    assert sizes.min() > 850
    assert sizes.max() < 1_150


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "é"]), min_size=1), st.integers(1, 5))
def test_splitting_loses_no_row_and_keeps_their_order(subjects: list[str], shards: int) -> None:
    batch = pa.RecordBatch.from_pydict(
        {"subject": subjects, "row": list(range(len(subjects)))}
    ).replace_schema_metadata({"kind": "events"})
    parts = split(batch, shards)
    assert sorted(row for _, part in parts for row in part["row"].to_pylist()) == list(range(len(subjects)))
    for shard, part in parts:
        assert part["row"].to_pylist() == sorted(part["row"].to_pylist())
        assert set(shard_of(subject_hash(part["subject"]), shards).tolist()) == {shard}
        assert part.schema.metadata == {b"kind": b"events"}
