"""Cuts in time: Know and Segment over what is read, at a watermark that goes where it is told to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue

from schemas.cut import Closing, Heard
from schemas.kinds import KINDS
from tests.support.merged import FREE, event, instant, world
from tests.support.worlds import arrived, read_world
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Program
from transforms.coder import RecordBatchCoder, sharded
from transforms.cut_windows import read_in_cuts, time_of, whole_cuts
from transforms.ingest import ACCOUNT
from transforms.known import KIND, Know, closed
from transforms.segment import Segment
from transforms.stage import DONE, Stage, staged_tables

SHARDS = 2
PROBE = b"probe"
FAR = 90
"""The cut of those that look on: none of the others."""
SOURCES = {"web": {"kind": "events", "properties": {"n": "int"}}}

Step = tuple[int, Sequence[pa.RecordBatch]] | int
"""What is read into a cut, or the cut that the watermark comes to."""


@dataclass(eq=False)
class Cuts(beam.PTransform):  # type: ignore[misc]
    """Know and Segment over what is read, with those that look on beside them."""

    program: Program
    stage: Stage
    steps: Sequence[Step]

    def expand(self, begin: PBegin) -> PCollection[int]:
        read = begin | self._told() | beam.Map(lambda batch: batch).with_output_types(pa.RecordBatch) | "Cut" >> read_in_cuts()
        _ = read | "Probes" >> beam.Filter(is_probe) | "LookOn" >> beam.Map(look_on, self.stage.folder)
        said = read | "Said" >> beam.Filter(lambda batch: not is_probe(batch)).with_output_types(pa.RecordBatch)
        facts = said | "Facts" >> beam.Filter(is_fact) | "Shard" >> beam.Map(lambda batch: (1, batch)) | sharded()
        return (facts, said | Know(SHARDS)) | beam.Flatten() | whole_cuts() | Segment(self.program, self.stage)

    def _told(self) -> TestStream:
        told = TestStream(coder=RecordBatchCoder()).advance_watermark_to(time_of(1))
        for step in self.steps:
            if isinstance(step, int):
                told = told.advance_watermark_to(time_of(step))
            else:
                told = told.add_elements([TimestampedValue(batch, time_of(step[0])) for batch in step[1]])
        return told.advance_watermark_to_infinity()


def is_probe(batch: pa.RecordBatch) -> bool:
    return (batch.schema.metadata or {}).get(KIND) == PROBE


def is_fact(batch: pa.RecordBatch) -> bool:
    return (batch.schema.metadata or {}).get(KIND, b"").decode() in KINDS


def look_on(probe: pa.RecordBatch, folder: Path) -> None:
    """Note which cuts are done by now."""
    (folder / f"{probe['name'][0].as_py()}.json").write_text(json.dumps(sorted(done_in(folder))))


def done_in(folder: Path) -> set[int]:
    """The cuts with which all shards are done."""
    return {int(path.name) for path in folder.glob("[0-9]*") if len(list((path / DONE).glob("*.json"))) == SHARDS}


class Told:
    """Cuts of a world, and what becomes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "staged"
        for number in range(9):
            (self.folder / f"{number:012d}").mkdir(parents=True)
        project = read_world(folder / "project", world(sources=SOURCES, purposes=[FREE]))
        self.program = Program(project, dict.fromkeys(project.segments, 1))
        self.stage = Stage(self.folder, staged_tables(self.program))

    def run(self, *steps: Step) -> None:
        options = PipelineOptions(streaming=True)
        with beam.Pipeline(runner=BundleBasedDirectRunner(), options=options) as pipeline:
            _ = pipeline | Cuts(self.program, self.stage, steps)

    def facts(self, hours: float, who: str) -> list[pa.RecordBatch]:
        """An event, and the account of it."""
        said = {**dict.fromkeys(ACCOUNT.names), "dated_at": [instant(hours)], "received_at": [instant(hours)]}
        account = pa.RecordBatch.from_pylist([said | {"source": "web", "file": "a", "until_at": instant(hours)}], schema=ACCOUNT)
        (events,) = arrived(self.program.project, [event(hours, who)])["events"].combine_chunks().to_batches()
        return [account, events.replace_schema_metadata({KIND: b"events"})]

    def seen(self, probe: str) -> list[int]:
        """The cuts that were done when the probe came."""
        found: list[int] = json.loads((self.folder / f"{probe}.json").read_text())
        return found

    def entered(self, number: int) -> list[str]:
        """Who entered in a cut."""
        rows = [pq.read_table(path) for path in (self.folder / f"{number:012d}").glob("transitions/*.parquet")]
        return sorted(who for table in rows for who in table["subject"].to_pylist())

    def moment(self, number: int) -> tuple[int, int]:
        """T and K of a cut, which are those of each of its shards."""
        told = {path.read_text() for path in (self.folder / f"{number:012d}" / DONE).glob("*.json")}
        (only,) = {(json.loads(text)["at"], json.loads(text)["known_at"]) for text in told}
        return only


def closing(hours: float) -> list[pa.RecordBatch]:
    return [closed(Closing(BEGINNING, instant(hours), FOREVER, FOREVER), Heard(instant(hours)))]


def probe(name: str) -> Step:
    return FAR, [pa.record_batch({"name": [name]}).replace_schema_metadata({KIND: PROBE})]
