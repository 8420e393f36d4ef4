"""Links that are read while a stream runs: what had been split by those of before is split anew, and shards advanced again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runners.runs.linking import Linked, moving
from runners.warehouses.lake import Lake
from schemas.definitions.project import Project
from schemas.kinds import KINDS
from transforms.coder import ShardedBatch
from transforms.known import KIND
from transforms.shard import shards_of, split
from transforms.spill import by_file, fetch, take_up
from transforms.stage import ASKED, RECEIVED
from transforms.together import Together, together

_FILES = "linked-*.arrow"
_LINKS = pa.schema([("subject", pa.string()), ("to_id", pa.string())])


class Links:
    """All links of a stream, and by which of them each cut is split: readers hear of new ones when a cut is opened.

    Attributes:
      now: the ids that the published links connect.
      path: the file by which readers hear of them; empty while they know all that it takes.
    """

    def __init__(self, folder: Path, stored: pa.Table) -> None:
        self.folder, self.known = folder, [stored.select(_LINKS.names).cast(_LINKS)]
        self.now, self.path = together(stored), ""
        self._split_by: dict[int, tuple[Together, str]] = {}

    def split(self, number: int) -> None:
        """Take note that a cut is opened, and split by what is known now."""
        self._split_by[number] = (self.now, self.path)

    def split_by(self, number: int) -> Together:
        """By which ids a cut was split."""
        return self._split_by[number][0]

    def read(self, new: pa.Table) -> Linked:
        """The ids that links connect, these included."""
        if not len(new):
            return Linked(self.now, self.now)
        self.known.append(new)
        return Linked(self.now, together(pa.concat_tables(self.known)))

    def publish(self, both: Linked, number: int, shards: int) -> None:
        """Let the cuts that are opened from now on be split by the links that a cut has brought."""
        if len(both.moved(shards)):
            path = self.folder / _FILES.replace("*", str(number))
            both.after.write(path)
            self.path = str(path)
        self.now = both.after
        self._split_by = {cut: one for cut, one in self._split_by.items() if cut > number}
        self._give_up()

    def _give_up(self) -> None:
        """Remove what no reader is told any more: all that was read by it is split."""
        told = {self.path, *(path for _, path in self._split_by.values())}
        for path in self.folder.glob(_FILES):
            if str(path) not in told:
                path.unlink()


def received_links(staging: Path) -> pa.Table:
    """The links among what the shards of a cut have received."""
    batches = (batch for path in _kept(staging) for batch in take_up(path))
    found = [fetch(batch).select(_LINKS.names) for batch in batches if _kind(batch) == "identities"]
    return pa.concat_tables([_LINKS.empty_table(), *(pa.Table.from_batches([one]).cast(_LINKS) for one in found)])


@dataclass(frozen=True)
class Relinking:
    """A cut, once its links are known.

    Attributes:
      staging: where it is staged.
      both: the ids that links connected before it, and connect now.
      split_by: those by which what its shards have received was split.
      advance: advances shards by these batches, and stages what they make instead of what is staged of them.
    """

    lake: Lake
    project: Project
    staging: Path
    both: Linked
    split_by: Together
    advance: Callable[[Sequence[ShardedBatch]], None]

    def settle(self) -> None:
        """Advance the shards again that subjects or records leave or come to, by what belongs to them now."""
        moved = self.both.moved(self._shards)
        strayed = Linked(self.split_by, self.both.after).moved(self._shards)
        if not len(moved) and not len(strayed):
            return
        received = {int(path.stem): [*take_up(path)] for path in _kept(self.staging)}
        concerned = {*self._left_and_entered(moved, self.both.before), *self._where_rows_stray(received, strayed)}
        if concerned:
            moving_along = ((shard, self._by_file(batch)) for shard, batch in moving(self.lake, self.project, self.both))
            self.advance([*self._again(received, concerned), *moving_along])

    @property
    def _shards(self) -> int:
        return self.project.target.shards

    def _left_and_entered(self, subjects: pa.Array, before: Together) -> Iterator[int]:
        for one in (before, self.both.after):
            yield from map(int, np.unique(shards_of(subjects, self._shards, one)))

    def _where_rows_stray(self, received: Mapping[int, Iterable[pa.RecordBatch]], strayed: pa.Array) -> Iterator[int]:
        """The shards where rows of these subjects lie, and those that they belong to."""
        for batches in received.values():
            for batch in filter(_is_of_facts, batches):
                subjects = pc.unique(fetch(batch)["subject"])
                yield from self._left_and_entered(subjects.filter(pc.is_in(subjects, value_set=strayed)), self.split_by)

    def _again(self, received: Mapping[int, Iterable[pa.RecordBatch]], concerned: Iterable[int]) -> Iterator[ShardedBatch]:
        """What these shards have received, split anew."""
        for shard in concerned:
            (self.staging / ASKED / f"{shard:04d}.arrow").unlink(missing_ok=True)
            for batch in received[shard]:
                if not _is_of_facts(batch):
                    yield shard, batch
                else:
                    parts = split(fetch(batch), self._shards, self.both.after)
                    yield from ((place, self._by_file(part)) for place, part in parts)

    def _by_file(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        spilled = self.staging / "spilled"
        spilled.mkdir(exist_ok=True)
        return by_file(batch, spilled)


def _kept(staging: Path) -> list[Path]:
    return sorted((staging / RECEIVED).glob("*.arrow"))


def _kind(batch: pa.RecordBatch) -> str:
    return str(batch.schema.metadata[KIND].decode())


def _is_of_facts(batch: pa.RecordBatch) -> bool:
    return _kind(batch) in KINDS
