"""What one cut of a stream hands on to the next: the last commit, and what decides the next T and K."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from runners.publishing.placing import layered
from runners.runs.keeping import gone
from runners.runs.outlook import Options, Outlook
from runners.runs.rereading import Reading
from runners.runs.run_plan import RunPlan
from runners.sources.files import Listing
from runners.warehouses import read
from runners.warehouses.lake import Lake
from runners.warehouses.published import LastRun, published
from schemas.cut import Closing, Partition
from schemas.definitions.project import Project
from transforms.algebra.calendars import day_starts, local_days
from transforms.algebra.order import FOREVER
from transforms.algebra.program import Moment
from transforms.receipts import Receipts
from transforms.watermarks import Watermarks, advanced

_NOTHING = Reading(Listing((), (), (), {}), frozenset(), {})


@dataclass(frozen=True)
class Carried:
    """What is known between two cuts. Instants are int64 microseconds UTC.

    Attributes:
      last: the last published run.
      outlook: what a cut builds on, but for its T.
      receipts: those of facts that may not have raised K yet.
      day_ends_at: feature rows are written from this T on.
      states: the layers of each shard's state, as commits name them.
      turning_at: the next instant at which an answer turns without any news; -1: not known yet.
      watermarks: how far each partition has told.
    """

    lake: Lake
    project: Project
    now: Callable[[], int]
    last: LastRun
    outlook: Outlook
    receipts: Receipts
    day_ends_at: int
    states: Mapping[int, tuple[str, ...]]
    turning_at: int = -1
    watermarks: Watermarks = field(default_factory=dict)

    @classmethod
    def of(cls, lake: Lake, project: Project, now: Callable[[], int]) -> "Carried":
        """What a stream begins with. Errors: CallError where nothing was published."""
        last = published(lake)
        outlook = Outlook.of_last(lake, project, now(), last, _NOTHING)
        told = read.receipts_to_come(lake, last), _day_end(project, last.t_at), read.state_paths(lake)
        return cls(lake, project, now, last, outlook, *told)

    @property
    def expected_at(self) -> int:
        """When there is something to publish though nothing comes; FOREVER where T does not get so far."""
        later = self.receipts.dated_at[self.receipts.dated_at > self.last.t_at]
        found = min(self.turning_at, self.day_ends_at, int(later.min(initial=FOREVER)))
        return found if found <= self.until_at else FOREVER

    @property
    def until_at(self) -> int:
        """No T lies after it, int64 microseconds UTC."""
        return FOREVER if self.project.as_of is None else self.project.as_of

    def closing(self, folder: Path) -> Closing:
        """How the cut that is staged in a folder is to be computed."""
        path = folder / "kept.arrow"
        self.receipts.write(path)
        states = {shard: [*map(self.lake.states.place, paths)] for shard, paths in self.states.items()}
        more = {"kept": str(path), "watermarks": self.watermarks, "day_ends_at": self.day_ends_at, "states": states}
        more |= gone(self.project, self.last)
        return Closing(self.last.t_at, None, self.until_at, self.last.known_at, **more)  # type: ignore[arg-type]

    @property
    def state_files(self) -> set[str]:
        """The files of states that are in use."""
        return {path for paths in self.states.values() for path in paths}

    def outlook_at(self, t_at: int) -> Outlook:
        """What the cut builds on."""
        return replace(self.outlook, t_at=t_at, options=Options(self.now()))

    def published(self, plan: RunPlan, leaves_some: bool) -> "Carried":
        """What is known once a plan is published: nobody else writes while a stream does, so that nothing need be read."""
        last = LastRun.of(plan, leaves_some)
        reading = self.outlook.reading._replace(positions=last.positions)
        outlook = replace(self.outlook, last=last, t_at=last.t_at, reading=reading)
        states = layered(self.states, self.lake.states.placed(plan.run_id))
        return replace(self, last=last, outlook=outlook, states=states)

    def after(self, moment: Moment, account: pa.Table, turning_at: int) -> "Carried":
        """What is known after a cut, whether or not there was anything to publish: `account` is of what was read."""
        return replace(
            self,
            receipts=Receipts.of_all([self.receipts, Receipts.of_accounts(account)]).since(self.last.t_at),
            day_ends_at=_day_end(self.project, moment.at) if moment.writes_features else self.day_ends_at,
            turning_at=turning_at,
            watermarks=advanced(self.watermarks, account.to_batches(), self._partitions(account)),
        )

    def _partitions(self, account: pa.Table) -> set[Partition]:
        """All that have told of anything, now or before."""
        told = set(zip(*(account[name].to_pylist() for name in ("source", "file")), strict=True))
        return told | {(source, file) for source, files in self.watermarks.items() for file in files}


def _day_end(project: Project, at: int) -> int:
    """The first instant of the next day of the project's timezone."""
    return int(day_starts(local_days(np.array([at]), project.timezone) + 1, project.timezone)[0])
