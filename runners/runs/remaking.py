"""Shards that have forgotten what news is about are advanced again, with all that the warehouse holds of whom it concerns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from runners.runs.linking import Linked, taken_along
from runners.warehouses.lake import Lake
from runners.warehouses.read import told_again
from schemas.definitions.project import Project
from transforms.coder import ShardedBatch
from transforms.shard import shards_of
from transforms.spill import by_file, take_up
from transforms.stage import ASKED, RECEIVED


@dataclass(frozen=True)
class Remaking:
    """What the shards of a run ask for, once they have been advanced.

    Attributes:
      staging: where they say so.
      both: the ids that links connect.
      given: of whom the shards have been given all facts already.
      advance: advances shards by these batches, and stages what they make instead of what is staged of them.
    """

    lake: Lake
    project: Project
    staging: Path
    both: Linked
    given: pa.Array
    advance: Callable[[Sequence[ShardedBatch]], None]

    def until_whole(self) -> int:
        """Advance shards again until none asks; gives how many subjects were made anew."""
        given = self.given
        while len(asked := self._asked()):
            new = _without(self.both.after.with_linked(asked), given)
            if not len(new):
                raise RuntimeError(f"{len(asked)} subjects are asked for of whom all is there")
            self.advance([*self._again(asked), *self._facts(new)])
            given = pa.concat_arrays([given, new])
        return len(given) - len(self.given)

    def _asked(self) -> pa.Array:
        """Of whom all facts are needed: who is asked for, and whose events may have come before."""
        asked = [batch["subject"] for path in _shards(self.staging / ASKED) for batch in take_up(path)]
        return pc.unique(pa.concat_arrays([*asked, self._told_again()]))

    def _told_again(self) -> pa.Array:
        """The subjects of new events that the warehouse holds already: a state that has forgotten one takes its twin for new."""
        made = [self.staging / "events" / f"{path.stem}.parquet" for path in _shards(self.staging / RECEIVED)]
        sources = [name for name, one in self.project.sources.items() if one.kind == "events" and "event_id" in one.fields]
        return told_again(self.lake, sources, [path for path in made if path.exists()])

    def _again(self, asked: pa.Array) -> Iterator[ShardedBatch]:
        """What the shards of the subjects have received."""
        for shard in {*shards_of(asked, self.project.target.shards, self.both.after).tolist()}:
            (self.staging / ASKED / f"{shard:04d}.arrow").unlink(missing_ok=True)
            yield from ((shard, batch) for batch in take_up(self.staging / RECEIVED / f"{shard:04d}.arrow"))

    def _facts(self, subjects: pa.Array) -> Iterator[ShardedBatch]:
        """All facts about the subjects, for shards that have nothing of them any more."""
        spilled = self.staging / "spilled"
        spilled.mkdir(exist_ok=True)
        along = taken_along(self.lake, self.project, subjects, self.both.after, self.both.after)
        return ((shard, by_file(batch, spilled)) for shard, batch in along)


def _shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.arrow"))


def _without(subjects: pa.Array, others: pa.Array) -> pa.Array:
    return subjects.filter(pc.invert(pc.is_in(subjects, value_set=others)))
