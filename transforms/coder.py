"""The element of every pipeline: an Arrow RecordBatch, coded as Arrow IPC; Beam's default would pickle."""

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import Coder

ShardedBatch = tuple[int, pa.RecordBatch]


class RecordBatchCoder(Coder):  # type: ignore[misc]
    """One batch with its schema and metadata; a slice carries only its own rows."""

    def encode(self, value: pa.RecordBatch) -> bytes:
        """The batch as an IPC stream."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as stream:
            stream.write_batch(value)
        encoded: bytes = sink.getvalue().to_pybytes()
        return encoded

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        """The batch again, over the same memory."""
        with pa.ipc.open_stream(pa.py_buffer(encoded)) as stream:
            return stream.read_next_batch()

    def is_deterministic(self) -> bool:
        """Equal batches may differ in their bytes: no key."""
        return False

    def to_type_hint(self) -> type[pa.RecordBatch]:
        """What is coded."""
        hint: type[pa.RecordBatch] = pa.RecordBatch
        return hint


beam.coders.registry.register_coder(pa.RecordBatch, RecordBatchCoder)


def sharded() -> beam.PTransform:
    """Say what the elements are, so that they are coded as Arrow: pickled, a slice would carry its whole batch."""
    return beam.Map(_same).with_output_types(ShardedBatch)


def _same(element: ShardedBatch) -> ShardedBatch:
    return element
