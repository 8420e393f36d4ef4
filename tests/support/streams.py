"""A stream over a target, cut by cut: the launcher, the reader and the graph are the real ones, and no clock goes by itself."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms.window import TimestampedValue

from pipelines.segmentation import SegmentCuts, SegmentStream
from runners.engines.local import run_locally
from runners.runs.running import Outcome, open_target
from runners.sources.following import FileFollower
from runners.streams.streaming import Committed, Stream
from schemas.cut import Share
from schemas.definitions.catalog import read_project
from schemas.definitions.project import Project
from tests.support.histories import Fact
from tests.support.whole_runs import Target
from tests.support.worlds import language
from transforms.coder import ShardedBatch, sharded
from transforms.cut_windows import read_in_cuts, time_of
from transforms.follow import Following, Positions, Reader

SECOND = 1_000_000


@dataclass
class Clock:
    """Goes when it is told to. int64 microseconds UTC."""

    at: int

    def __call__(self) -> int:
        return self.at


class CutByCut:
    """The graph of a stream, run to the end of each cut when it is closed."""

    def __init__(self, graph: SegmentStream, project: Project, clock: Clock) -> None:
        self.graph = graph

        def opened(positions: Positions, share: Share) -> FileFollower:
            return FileFollower(project, positions, clock, share)

        self.reader = Reader(Following(graph.following.orders, opened))
        self.told: list[ShardedBatch] = []
        self.meanwhile: Callable[[], None] = self.read

    def read(self) -> None:
        """All that is there."""
        while self.reader.advance():
            self.told.append((int(self.reader.get_current_timestamp().seconds()), self.reader.get_current()))

    def see_that_it_runs(self) -> None:
        """Compute what is closed; what is read meanwhile belongs to the next cut."""
        self.read()
        self.meanwhile()
        open_at = int(time_of(self.reader.cut).seconds())
        closed = [one for one in self.told if one[0] < open_at]
        self.told = [one for one in self.told if one[0] >= open_at]
        run_locally(_Cuts(self.graph, closed), lambda: None)


@dataclass(eq=False)
class _Cuts(beam.PTransform):  # type: ignore[misc]
    graph: SegmentStream
    told: Sequence[ShardedBatch]

    def expand(self, begin: PBegin) -> PCollection[int]:
        said = begin | beam.Create(self.told, reshuffle=False) | sharded() | beam.Map(_dated).with_output_types(pa.RecordBatch)
        return said | read_in_cuts() | SegmentCuts(self.graph.program, self.graph.stage, self.graph.plan)


def _dated(element: ShardedBatch) -> TimestampedValue:
    at, batch = element
    return TimestampedValue(batch, at)


@dataclass
class Streaming:
    """A stream that goes on as it is told."""

    target: Target
    stream: Stream
    job: CutByCut
    clock: Clock
    caught_up: Outcome

    def tell(self, facts: Sequence[Fact], name: str = "live") -> None:
        """Write facts, and let the reader read them into the cut that is open."""
        self.target.write(facts, name)
        self.clock.at += SECOND
        self.job.read()

    def commit(self, at: int | None = None, meanwhile: Sequence[Fact] = (), *, is_last: bool = False) -> Committed:
        """Close the cut that is open, at a time of the clock, and publish it; the next one is told facts meanwhile."""
        self.clock.at = max(self.clock.at, at or 0)
        waiting = [meanwhile]
        self.job.meanwhile = lambda: self.tell(waiting.pop() if waiting else [])
        return self.stream.commit(self.job, is_last)


@contextmanager
def streaming(target: Target, at: int) -> Iterator[Streaming]:
    """A stream over what a target holds and is told, once it has caught up at a time of the clock."""
    project, clock = read_project(target.folder, language()), Clock(at)
    with open_target(project) as lake:
        stream = Stream(lake, project, 0, clock)
        caught_up = stream.catch_up(lambda stage, records, share: None)
        with stream.begun() as graph:
            live = Streaming(target, stream, CutByCut(graph, project, clock), clock, caught_up)
            live.job.read()
            yield live
