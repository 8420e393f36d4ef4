"""A batch survives coding with its metadata, and a slice carries only its own rows."""

import apache_beam as beam
import pyarrow as pa

from transforms.coder import RecordBatchCoder


def test_a_batch_comes_back_with_its_metadata() -> None:
    batch = pa.RecordBatch.from_pydict({"a": [1, None], "b": [["x"], []]}).replace_schema_metadata({"kind": "events"})
    again = RecordBatchCoder().decode(RecordBatchCoder().encode(batch))
    assert again.equals(batch, check_metadata=True)


def test_a_slice_is_as_large_as_its_rows() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["some text"] * 100_000})
    assert len(RecordBatchCoder().encode(batch.slice(50, 10))) < 2_000


def test_beam_codes_batches_so() -> None:
    assert isinstance(beam.coders.registry.get_coder(pa.RecordBatch), RecordBatchCoder)
