"""A cut: the records of a stream that make one run. What is said of it by who opens and closes it, and by who reads."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from schemas.errors import CallError, JobFailed, SegueError, SourceChanged, TryAgain

Partition = tuple[str, str]
"""A source, and a file or partition of it."""


@dataclass(frozen=True)
class Share:
    """What one of several readers reads: each partition is of exactly one of them, whoever asks.

    Attributes:
      number: of the reader, from 0 on.
      readers: how many there are.
    """

    number: int = 0
    readers: int = 1

    def has(self, partition: Partition) -> bool:
        """Whether a partition is this reader's."""
        return zlib.crc32("\0".join(partition).encode()) % self.readers == self.number


ALL = Share()
"""What the only reader reads."""
_BEGINNING = -(1 << 63)
"""Before all instants, as the kernel has it."""


@dataclass(frozen=True)
class Closing:
    """How a cut is to be computed. Instants are int64 microseconds UTC.

    Attributes:
      last_at: the T published last, or the beginning of time.
      at: T, where the caller fixes it; else it is as far as the watermarks allow.
      until_at: no T lies after it.
      known_before: the K published last, the end of time before the first run.
      fixed_at: K, where the caller fixes it.
      kept: the file of the receipts of facts that were read before and may not have raised K yet; empty where there are none.
      everyone: all subjects are recomputed, as after a change of the definitions.
      watermarks: source -> partition -> how far it was told of before; of those that were not silent.
      day_ends_at: feature rows are written from this T on.
      gone_before_at: events before it are gone from the warehouse, of each subject all but the first.
      horizon_at: from when on answers can be computed; what is told of the time before stands.
      states: shard -> where the layers of its state lie, where the launcher does not hand it on otherwise.
    """

    last_at: int
    at: int | None
    until_at: int
    known_before: int
    fixed_at: int | None = None
    kept: str = ""
    everyone: bool = False
    watermarks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    day_ends_at: int = -(1 << 62)
    gone_before_at: int = _BEGINNING
    horizon_at: int = _BEGINNING
    states: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Closing":
        """What `to_json` gave."""
        return cls(**{**said, "states": {int(shard): paths for shard, paths in said["states"].items()}})


@dataclass(frozen=True)
class Heard:
    """What a reader says when a cut is closed.

    Attributes:
      clock_at: the reader's clock, int64 microseconds UTC.
      active: the partitions that are not idle: T waits for them.
    """

    clock_at: int
    active: tuple[Partition, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Heard":
        """What `to_json` gave."""
        return cls(said["clock_at"], tuple((source, partition) for source, partition in said["active"]))


_KINDS = {kind.__name__: kind for kind in (CallError, JobFailed, SourceChanged, TryAgain)}


@dataclass(frozen=True)
class Failure:
    """Why a reader can not go on: an error of ours, as it is told to who waits for the reader.

    Attributes:
      kind: the name of its class.
    """

    kind: str
    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: SegueError) -> "Failure":
        """What an error tells."""
        return cls(type(error).__name__, error.code, error.message, error.hint)

    @property
    def error(self) -> SegueError:
        """The error, to be raised again; of a kind that no reader is known to raise, as one of the job."""
        return _KINDS.get(self.kind, JobFailed)(self.code, self.message, self.hint)

    def to_text(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Failure":
        """What `to_text` gave."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Order:
    """What all readers are to do.

    Attributes:
      open: the number of the cut that what is read from now on belongs to.
      closing: how the cut before is to be computed; None where it is given up.
      positions: where to read on, by source and partition; None: where one is.
      linked: where the ids that links connect lie; empty where there are none.
      is_last: nothing is read any more.
    """

    open: int
    closing: Closing | None = None
    positions: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None
    linked: str = ""
    is_last: bool = False

    def to_text(self) -> str:
        """As JSON text."""
        return json.dumps({**asdict(self), "closing": None if self.closing is None else self.closing.to_json()})

    @classmethod
    def from_text(cls, text: str) -> "Order":
        """What `to_text` gave."""
        said = json.loads(text)
        closing = None if said["closing"] is None else Closing.from_json(said["closing"])
        return cls(**{**said, "closing": closing})
