"""Cuts of a stream, as the launcher opens and closes them: a folder each, and one file that says what all readers are to do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.cut import Closing, Failure, Order
from transforms.algebra.order import FOREVER
from transforms.algebra.program import Moment
from transforms.alive import ALIVE, silent_for
from transforms.faults import reach
from transforms.follow import BEGUN, FAILED, LOST
from transforms.stage import DONE, Stage

_SILENT_S = 15.0
"""Who has given no sign of life for so long is gone."""


@dataclass
class Cuts:
    """The cuts of one job.

    Attributes:
      stage: where they are staged.
      shards: so many shards are done when a cut is.
      readers: so many read.
      number: of the cut that is open.
    """

    stage: Stage
    shards: int
    readers: int = 1
    number: int = 0

    @property
    def orders(self) -> Path:
        """The file of the order that stands."""
        return self.stage.folder / "order.json"

    def folder(self, number: int) -> Path:
        """Where a cut is staged."""
        return self.stage.of_cut(number).folder

    def begin(self, positions: Mapping[str, Any], linked: str = "") -> None:
        """Open a cut whose readers begin at these positions; what was read into the one before is given up."""
        for said in (self.stage.folder / LOST, *self._begun):
            said.unlink(missing_ok=True)
        self._hear_anew()
        self._open(positions=positions, linked=linked)

    @property
    def is_lost(self) -> bool:
        """Whether a reader has begun anew: it does not know where, and what is read by now may not be all."""
        return (self.stage.folder / LOST).exists()

    @property
    def is_begun(self) -> bool:
        """Whether all readers read: another order before that would keep the positions from one."""
        return all(said.exists() for said in self._begun)

    @property
    def _begun(self) -> list[Path]:
        return [self.stage.folder / f"{BEGUN}{number}" for number in range(self.readers)]

    def see_that_readers_go_on(self) -> None:
        """Errors: what a reader says of why it can not."""
        failed = self.stage.folder / FAILED
        if failed.exists():
            raise Failure.from_text(failed.read_text(encoding="utf-8")).error

    def _hear_anew(self) -> None:
        """Those whose worker is gone for a good reason are waited for no more; who is there is heard of again at once."""
        place = self.stage.folder / ALIVE
        place.mkdir(exist_ok=True)
        for path in place.iterdir():
            path.unlink(missing_ok=True)

    @property
    def has_lost_a_worker(self) -> bool:
        """Whether a process that computes them is gone."""
        return silent_for(self.stage.folder) > _SILENT_S

    def close(self, closing: Closing, is_last: bool, linked: str = "") -> int:
        """Close the cut that is open, and open the next. Gives the number of the one that is closed."""
        self._open(closing=closing, is_last=is_last, linked=linked)
        reach("cut_closed")
        return self.number - 1

    def _open(self, **more: Any) -> None:
        self.number += 1
        self.folder(self.number).mkdir()
        fresh = self.orders.with_suffix(".new")
        fresh.write_text(Order(self.number, **more).to_text(), encoding="utf-8")
        reach("order_written")
        fresh.replace(self.orders)

    def has_read(self, number: int) -> bool:
        """Whether any record lies in a cut."""
        return any((self.folder(number) / "inputs").glob("*.parquet"))

    def is_done(self, number: int) -> bool:
        """Whether all shards are done with a cut."""
        return sum(1 for _ in (self.folder(number) / DONE).glob("*.json")) == self.shards


def moment_of(folder: Path) -> tuple[Moment, int, int]:
    """The moment that shards were advanced to, the next instant at which an answer turns without any news, and of how many
    subjects any does.
    """
    told = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / DONE).glob("*.json"))]
    turning_at, waiting = ([one.pop(name) for one in told] for name in ("turning_at", "waiting"))
    return Moment(**told[0]), min(turning_at, default=FOREVER), sum(waiting)
