"""Batches that go by file."""

from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from transforms.coder import ShardedBatch, sharded
from transforms.spill import Spill, fetch, put_down, spill, take_up

ROWS = pa.RecordBatch.from_arrays(
    [pa.array([f"u{number:07}" for number in range(20_000)]), pa.array(range(20_000))],
    schema=pa.schema([("subject", pa.string()), ("n", pa.int64())], {b"kind": b"events"}),
)


def test_what_stands_for_a_batch_is_one_row_of_its_kind(tmp_path: Path) -> None:
    standing = spill(ROWS, tmp_path / "rows.arrow")
    assert standing.num_rows == 1
    assert (standing.schema.metadata or {})[b"kind"] == b"events"


def test_a_batch_comes_back_as_it_was(tmp_path: Path) -> None:
    assert fetch(spill(ROWS, tmp_path / "rows.arrow")).equals(ROWS, check_metadata=True)


def test_a_large_batch_comes_back_over_the_memory_of_its_file(tmp_path: Path) -> None:
    many = pa.RecordBatch.from_arrays([pa.array(range(200_000))], names=["n"])
    before = pa.total_allocated_bytes()
    found = fetch(spill(many, tmp_path / "many.arrow"))
    assert pa.total_allocated_bytes() - before < many.nbytes / 10
    assert found.equals(many)


def test_a_batch_that_was_not_spilled_is_itself() -> None:
    assert fetch(ROWS) is ROWS


def test_a_slice_takes_only_its_own_rows_to_the_file(tmp_path: Path) -> None:
    part = ROWS.slice(19_990, 5)
    assert fetch(spill(part, tmp_path / "part.arrow")).equals(part)
    spill(ROWS, tmp_path / "rows.arrow")
    assert (tmp_path / "part.arrow").stat().st_size * 10 < (tmp_path / "rows.arrow").stat().st_size


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    standing = spill(ROWS, tmp_path / "rows.arrow")
    (tmp_path / "rows.arrow").unlink()
    with pytest.raises(FileNotFoundError):
        fetch(standing)


def test_a_pipeline_hands_on_paths_by_shard(tmp_path: Path) -> None:
    def check(elements: list[ShardedBatch]) -> None:
        assert sorted(shard for shard, _ in elements) == [0, 1]
        assert all(standing.schema.names == ["path"] for _, standing in elements)
        assert {shard: fetch(standing) for shard, standing in elements} == {0: ROWS.slice(0, 8_000), 1: ROWS.slice(8_000)}

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        batches = pipeline | beam.Create([(0, ROWS.slice(0, 8_000)), (1, ROWS.slice(8_000))]) | sharded()
        assert_that(batches | Spill(lambda window: tmp_path / "spilled"), check)


def test_a_batch_of_a_few_rows_is_worth_no_file(tmp_path: Path) -> None:
    few = ROWS.slice(0, 10)

    def check(elements: list[ShardedBatch]) -> None:
        assert elements == [(0, few)]

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        assert_that(pipeline | beam.Create([(0, few)]) | sharded() | Spill(lambda window: tmp_path / "spilled"), check)
    assert not list((tmp_path / "spilled").iterdir())


def test_batches_of_any_schemas_lie_in_one_file_behind_one_another(tmp_path: Path) -> None:
    batches = [ROWS, pa.record_batch({"path": ["p"]}), ROWS.slice(3, 4), pa.record_batch({"n": pa.array([], pa.int64())})]
    put_down(batches, tmp_path / "all.arrow")
    found = [*take_up(tmp_path / "all.arrow")]
    assert [one.equals(other, check_metadata=True) for one, other in zip(found, batches, strict=True)] == [True] * 4


def test_a_file_of_no_batches_has_none(tmp_path: Path) -> None:
    put_down([], tmp_path / "none.arrow")
    assert [*take_up(tmp_path / "none.arrow")] == []
