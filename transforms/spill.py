"""Spill: batches go by file where a runner would copy them many times over on their way and hold every copy."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import BoundedWindow

from transforms.coder import ShardedBatch, sharded

_SPILLED = b"spilled"
_PATH = pa.field("path", pa.string())
_SMALL, _LARGE = 1 << 15, 1 << 20
"""Bytes of a batch below which a file of its own costs more than the copies, and above which it is mapped."""


def spill(batch: pa.RecordBatch, path: Path) -> pa.RecordBatch:
    """Write a batch to a file of its own. Gives what stands for it: one row, with the metadata of the batch."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, batch.schema) as stream:
        stream.write_batch(batch)
    metadata = {**(batch.schema.metadata or {}), _SPILLED: b"true"}
    return pa.RecordBatch.from_arrays([pa.array([str(path)])], schema=pa.schema([_PATH], metadata))


def fetch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch, or the one that it stands for. Errors: OSError where there is no such file.

    A large one lies over the memory of its file; maps are few to a process, so the small ones are read.
    """
    if _SPILLED not in (batch.schema.metadata or {}):
        return batch
    path = Path(batch["path"][0].as_py())
    opened = pa.memory_map if path.stat().st_size > _LARGE else pa.OSFile
    with opened(str(path)) as file, pa.ipc.open_stream(file) as stream:
        return stream.read_next_batch()


def by_file(batch: pa.RecordBatch, folder: Path) -> pa.RecordBatch:
    """What stands for the batch, which is written to the folder; itself where it is small."""
    return batch if batch.nbytes < _SMALL else spill(batch, folder / f"{uuid.uuid4().hex}.arrow")


def put_down(batches: Iterable[pa.RecordBatch], path: Path) -> None:
    """Write batches of any schemas to one file, behind one another."""
    with pa.OSFile(str(path), "wb") as file:
        for batch in batches:
            with pa.ipc.new_stream(file, batch.schema) as stream:
                stream.write_batch(batch)


def take_up(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches that were written to a file."""
    reader = pa.BufferReader(path.read_bytes())
    while reader.tell() < reader.size():
        with pa.ipc.open_stream(reader) as stream:
            yield from stream


class _SpillFn(beam.DoFn):  # type: ignore[misc]
    """Writes each batch; a bundle that is tried again writes to other files."""

    def __init__(self, folder_of: Callable[[BoundedWindow], Path]) -> None:
        self.folder_of = folder_of

    def process(self, element: ShardedBatch, window: BoundedWindow = beam.DoFn.WindowParam) -> Iterator[ShardedBatch]:
        shard, batch = element
        folder = self.folder_of(window)
        folder.mkdir(exist_ok=True)
        yield shard, by_file(batch, folder)


@dataclass(eq=False)
class Spill(beam.PTransform):  # type: ignore[misc]
    """Write batches to files, unless they are small, and hand on what stands for them; `fetch` gives the batch again.

    Takes:     PCollection[ShardedBatch].
    Gives:     PCollection[ShardedBatch], one row each: the path, with the metadata of the batch.
    Windowing: none of its own.
    Emits:     one element for each.
    State:     none; the folder is the caller's to remove when all is read.
    Errors:    a disk that is full fails the bundle.

    Args:
      folder_of: gives the folder for a window, on a file system that all workers share; the one above it must be there.
    """

    folder_of: Callable[[BoundedWindow], Path]

    def expand(self, batches: PCollection[ShardedBatch]) -> PCollection[ShardedBatch]:
        """One file an element."""
        return batches | "WriteFiles" >> beam.ParDo(_SpillFn(self.folder_of)) | "Spilled" >> sharded()
