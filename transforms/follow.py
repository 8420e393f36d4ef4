"""Follow sources without an end, in cuts: what is read while a cut is open lies in its window."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import Coder
from apache_beam.internal import pickler
from apache_beam.io.unbounded_source import CheckpointMark, ReadFromUnboundedSource, UnboundedReader, UnboundedSource
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp

from schemas.cut import ALL, Failure, Heard, Order, Share
from schemas.errors import SegueError
from schemas.record import RawChunk
from transforms.alive import live
from transforms.coder import RecordBatchCoder
from transforms.cut_windows import read_in_cuts, time_of
from transforms.faults import reach
from transforms.known import closed, is_closing
from transforms.packed import packed

_PAUSE_S, _BUNDLE_S = 0.01, 0.2
"""How long a reader that found nothing is left alone, and how long one that finds something reads on before it hands on."""
_PATIENCE_S, _LOOK_S = 0.25, 0.02
"""How long a reader waits for anything before it says that there is nothing, and how often it looks: a bundle costs more
than many looks."""

LOST = "lost"
"""The file beside the order by which a reader says that it begins anew, and does not know where."""
BEGUN = "begun"
"""Before a reader's number, the file beside the order by which it says that it has begun where it was told to."""
FAILED = "failed.json"
"""The file beside the order in which a reader says why it can not go on, a Failure."""
FOLLOWED = "followed.pickle"
"""The file beside the order that says what is read."""
Positions = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By source and partition, as JSON."""


class Follower(Protocol):
    """Reads on, from the positions that it was opened at."""

    def poll(self) -> RawChunk | None:
        """The next records, None where there are none now. Returns soon. Errors: SegueError, and no more can be read."""

    def heard(self) -> Heard:
        """The clock, and which partitions are not idle. Errors: those of `poll`."""

    def close(self) -> None:
        """Let go of what is open."""


@dataclass(frozen=True)
class Following:
    """What is read.

    Attributes:
      orders: the file of the launcher's Order.
      opened: opens a follower of a reader's share at positions by source and partition; an importable function, or an object
        that can be pickled.
      readers: over so many readers the partitions are spread.
    """

    orders: Path
    opened: Callable[[Positions, Share], Follower]
    readers: int = 1


class Orders:
    """The launcher's orders, read anew only when they have changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._order: Order | None = None

    def latest(self) -> Order | None:
        """The order that stands; None where it was taken away: whoever gave it is gone, or has begun anew elsewhere."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        seen = (stat.st_mtime_ns, stat.st_ino)
        if self._order is None or seen != self._seen:
            self._order, self._seen = Order.from_text(self.path.read_text(encoding="utf-8")), seen
        return self._order


class Reader(UnboundedReader):  # type: ignore[misc]
    """Reads chunks of its share into the cut that is open, and closes it when it is told to.

    Who has told nothing yet waits for a moment before he says so; what he has told is handed on at once.
    """

    def __init__(self, following: Following, share: Share = ALL, patience_s: float = 0.0) -> None:
        self.following, self.share, self.orders = following, share, Orders(following.orders)
        self.patience_s = patience_s
        self.follower: Follower | None = None
        self.cut = self.at = 0
        self.is_over = self.has_failed = self.has_told = False

    def start(self) -> bool:
        """Open at the positions that the launcher says."""
        return self.advance()

    def advance(self) -> bool:
        """The next chunk, or the closing of the cut; of a source that can not be read any more it is told why."""
        deadline = time.monotonic() + (0.0 if self.has_told else self.patience_s)
        while not (is_any := self._next()) and not self.is_over and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        self.has_told = is_any
        return is_any

    def _next(self) -> bool:
        try:
            return not self.has_failed and self._advance()
        except SegueError as error:
            self._fail(error)
            return False

    def _fail(self, error: SegueError) -> None:
        """Who waits for the reader ends the job: what a failed bundle leaves of an error is not the same everywhere."""
        self.has_failed = True
        fresh = self.following.orders.with_name(f"{FAILED}.new")
        fresh.write_text(Failure.of(error).to_text(), encoding="utf-8")
        fresh.replace(fresh.with_name(FAILED))

    def _advance(self) -> bool:
        order = self.orders.latest()
        if order is None:
            self.is_over = True
            return False
        if order.positions is not None and order.open > self.cut:
            self._open(order, order.positions)
        if self.follower is None:
            (self.following.orders.parent / LOST).touch()
            return False
        if order.open > self.cut:
            return self._close_cut(order, self.follower)
        return not self.is_over and self._read(self.follower, order.linked)

    def _open(self, order: Order, positions: Positions) -> None:
        if self.follower is not None:
            self.follower.close()
        live(self.following.orders.parent)
        self.follower, self.cut = self.following.opened(positions, self.share), order.open
        reach("opened")
        (self.following.orders.parent / f"{BEGUN}{self.share.number}").touch()

    def _close_cut(self, order: Order, follower: Follower) -> bool:
        """What is read from here on belongs to the next cut."""
        self.at, self.cut, self.is_over = self.cut, order.open, order.is_last
        if order.closing is None:
            return False
        self.current = closed(order.closing, follower.heard())
        reach("closed")
        return True

    def _read(self, follower: Follower, linked: str) -> bool:
        chunk = follower.poll()
        if chunk is None:
            return False
        self.current, self.at = packed(chunk, linked), self.cut
        reach("followed")
        return True

    def get_current(self) -> pa.RecordBatch:
        """The chunk or the closing."""
        return self.current

    def get_current_timestamp(self) -> Timestamp:
        """The number of its cut."""
        return time_of(self.at)

    def get_watermark(self) -> Timestamp:
        """No more comes of the cuts before the one that is open."""
        if self.is_over:
            return MAX_TIMESTAMP
        return time_of(self.cut) if self.follower is not None else MIN_TIMESTAMP

    def get_checkpoint_mark(self) -> CheckpointMark:
        """Nothing: where to read on is what is committed."""
        reach("checkpointed")
        return _Mark()

    def close(self) -> None:
        """Let go of what is open, at the end of all: between two bundles a reader is kept."""
        if self.is_over and self.follower is not None:
            self.follower.close()
            _READERS.pop((self.following.orders, self.share), None)


_READERS: dict[tuple[Path, Share], Reader] = {}
"""One reader a process, job and share. Another in its place would not know what was handed on already."""


def _written(following: Following) -> Path:
    """Write down what is read, beside the order, and where that is."""
    path = following.orders.with_name(FOLLOWED)
    path.write_bytes(pickler.dumps(following))
    return path


@lru_cache(maxsize=8)
def _read_back(path: Path) -> Following:
    found: Following = pickler.loads(path.read_bytes())
    return found


class _Mark(CheckpointMark):  # type: ignore[misc]
    """A place to stop at: positions are committed with the tables, and read from there."""

    def finalize_checkpoint(self) -> None:
        """The runner has kept its checkpoint; what was read is not committed yet."""
        reach("finalized")


class _MarkCoder(Coder):  # type: ignore[misc]
    def encode(self, value: _Mark) -> bytes:
        return b"."

    def decode(self, encoded: bytes) -> _Mark:
        return _Mark()

    def is_deterministic(self) -> bool:
        return True


class _Source(UnboundedSource):  # type: ignore[misc]
    """Where what is read is written down. A runner takes the source apart at each bundle, and packs it several times then."""

    def __init__(self, said: Path, share: Share = ALL) -> None:
        self.said, self.share = said, share

    def split(self, desired_num_splits: int, options: Any = None) -> list["_Source"]:
        """As many as the launcher waits for, whatever the runner desires."""
        readers = _read_back(self.said).readers
        return [_Source(self.said, Share(number, readers)) for number in range(readers)]

    def create_reader(self, options: Any, checkpoint_mark: CheckpointMark | None) -> Reader:
        following = _read_back(self.said)
        return _READERS.setdefault((following.orders, self.share), Reader(following, self.share, _PATIENCE_S))

    def get_checkpoint_mark_coder(self) -> Coder:
        return _MarkCoder()

    def default_output_coder(self) -> Coder:
        return RecordBatchCoder()


@dataclass(eq=False)
class Follow(beam.PTransform):  # type: ignore[misc]
    """Read sources on and on, in cuts.

    Takes:     nothing.
    Gives:     PCollection[RecordBatch]: chunks as `packed` gives them, and at the end of each cut its closing.
    Windowing: one window a cut, of which the number is the time.
    Emits:     what is there, a few times a second.
    State:     none: the launcher's order says where to begin.
    Errors:    why a source can not be read any more is told beside the order, and no more is read; any other error fails the
               bundle.

    Args:
      following: what is read.
    """

    following: Following

    @property
    def source(self) -> UnboundedSource:
        """What Beam reads."""
        return _Source(_written(self.following))

    def expand(self, begin: PBegin) -> PCollection[pa.RecordBatch]:
        """The readers, then windows."""
        read = ReadFromUnboundedSource(self.source, poll_interval=_PAUSE_S, max_read_time_seconds=_BUNDLE_S)
        told = begin | "ReadOn" >> read.with_output_types(pa.RecordBatch)
        return told | "Cut" >> read_in_cuts()


def chunks() -> beam.PTransform:
    """Those that are chunks."""
    return beam.Filter(lambda told: not is_closing(told)).with_output_types(pa.RecordBatch)


def closings() -> beam.PTransform:
    """Those that close a cut."""
    return beam.Filter(is_closing).with_output_types(pa.RecordBatch)
