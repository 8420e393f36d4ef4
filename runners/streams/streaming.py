"""A stream: one run after another over what is read meanwhile, each exactly a run, until it is stopped."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow.compute as pc

from pipelines.segmentation import SegmentAgain, SegmentStream
from runners.engines.entry import processes_of, readers_of, running
from runners.engines.local import run_locally
from runners.engines.portable import ENDED, Job
from runners.publishing.publish import publish
from runners.publishing.staging import give_up, new_staging
from runners.publishing.sweeping import drop_states
from runners.publishing.tidying import tidying
from runners.runs.account import staged_account
from runners.runs.notes import let_go
from runners.runs.outlook import Options, Outlook
from runners.runs.progress import tick
from runners.runs.remaking import Remaking
from runners.runs.rereading import Reading
from runners.runs.run_plan import Published
from runners.runs.running import Outcome, run_batch
from runners.runs.step import Step, Tell
from runners.sources.entry import read as read_input
from runners.sources.files import Listing
from runners.sources.live import OpenSources
from runners.sources.lookups import read_lookups
from runners.streams.carried import Carried
from runners.streams.cuts import Cuts, moment_of
from runners.streams.handing import take_in
from runners.streams.relinking import Links, Relinking, received_links
from runners.warehouses import read
from runners.warehouses.lake import LIVE_GRACE, Lake
from schemas.cut import Closing
from schemas.definitions.project import Project
from schemas.errors import JobFailed
from transforms.coder import ShardedBatch
from transforms.decode import DecodePlan
from transforms.faults import reach
from transforms.follow import Following
from transforms.ingest import Plan
from transforms.stage import Stage

_LOOK_S = 0.02
"""Between two looks at what the job has done."""
_LISTEN_S = 0.25
"""Between two times that the runner is asked, that workers are listened to, and that others may hand anything in."""
_TIDY_S = 60.0
"""From when the warehouse has been tidied until it is tidied again."""
_NOTHING = Reading(Listing((), (), (), {}), frozenset(), {})


class Committed(NamedTuple):
    """What became of one cut.

    Attributes:
      published: what was published; `unchanged` where there was nothing.
      t_at: T.
      records: how many were read.
      waiting: how many subjects will enter or leave a segment if nothing more comes.
      remade: how many subjects were made anew from the warehouse, for news that their state had forgotten the like of.
      notes: what is worth saying of the sources.
      seconds: from closing the cut to having published it.
    """

    published: Published
    t_at: int
    records: int
    waiting: int
    remade: int
    notes: tuple[str, ...]
    seconds: float


class GivenUp(Exception):
    """A reader has begun anew: what was read into the cut that was open is read again."""


class Running(Protocol):
    """A job that computes the cuts which are closed."""

    def see_that_it_runs(self) -> None:
        """Errors: JobFailed where it does not any more."""


@dataclass
class Stream:
    """A stream over one project and warehouse.

    Attributes:
      every_s: a cut is closed so often, from one closing to the next, if there is anything in it.
      carried: what the next cut builds on, once it has caught up.
      whole_at: all that was read by then is published, by the clock `now`.
      noted: what the next commit is to say besides.
    """

    lake: Lake
    project: Project
    every_s: float
    now: Callable[[], int]
    carried: Carried = field(init=False)
    whole_at: int = field(init=False)
    noted: list[str] = field(default_factory=list)
    dropped: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    closed: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.whole_at = self.now()
        self.tidying = tidying(self.lake, LIVE_GRACE, _TIDY_S, self.noted.append)

    def catch_up(self, tell: Tell) -> Outcome:
        """A run up to now: what comes after it is live."""
        began_at = self.now()
        outcome = run_batch(self.lake, self.project, Options(began_at), tell)
        self.whole_at = began_at
        self.carried = Carried.of(self.lake, self.project, self.now)
        reach("caught_up")
        return outcome

    def run(self, stopping: Callable[[], bool], tell: Callable[[Committed], None]) -> None:
        """Read, compute and publish on and on; what is in hand when it is to stop is published.

        A job that ends by itself is begun again, unless it ends before it has published anything.

        Errors: JobFailed where the job does not go on; those of publishing.
        """
        is_over = False
        while not is_over:
            begun_at = self.carried.last
            try:
                self._run(stopping, tell)
                is_over = True
            except JobFailed as failed:
                if failed.code != ENDED or self.carried.last is begun_at:
                    raise

    def _run(self, stopping: Callable[[], bool], tell: Callable[[Committed], None]) -> None:
        with self.begun() as pipeline, running(pipeline, self.project.target) as job:
            while not stopping():
                with suppress(GivenUp):
                    self._next(job, stopping, tell)
            with suppress(GivenUp):  # what is not published now is the next run's
                if self.cuts.is_begun:
                    tell(self.commit(job, is_last=True))

    @contextmanager
    def begun(self) -> Iterator[SegmentStream]:
        """The graph, the first cut of which is open; what is not published in the end is given up."""
        folder = new_staging(self.lake)
        try:
            target = self.project.target
            self.cuts = Cuts(self._stage(self.carried.outlook, folder), target.shards, readers_of(target))
            self.links = Links(folder, read.links(self.lake, self.project.of_kind("identities")))
            self._begin()
            yield self._pipeline()
        finally:
            give_up(folder)

    def _begin(self) -> None:
        """Open a cut that begins where the last commit ended."""
        self.cuts.begin(self.carried.last.positions, self.links.path)
        self.links.split(self.cuts.number)

    def _stage(self, outlook: Outlook, folder: Path) -> Stage:
        """Where cuts go. While links may come, what shards receive is kept: they may find that it belongs to others."""
        is_linked = bool(self.project.of_kind("identities"))
        return replace(outlook.stage(folder), keeps=is_linked)

    def _pipeline(self) -> SegmentStream:
        project = self.project
        shards, at = project.target.shards, self.carried.last.t_at
        plan = Plan(read_input, project.sources, self._decoding, shards, at, tick, self.links.now, is_open=True)
        following = Following(self.cuts.orders, OpenSources(self.project), self.cuts.readers)
        return SegmentStream(self.carried.outlook.program, self.cuts.stage, plan, following, processes_of(project.target))

    @cached_property
    def _decoding(self) -> DecodePlan:
        return DecodePlan(self.project.schemas, tuple(self.project.purposes), read_lookups(self.project))

    def _next(self, job: Job, stopping: Callable[[], bool], tell: Callable[[Committed], None]) -> None:
        """Wait until there is something to say, and say it."""
        while time.monotonic() < self.closed + self.every_s or not self.is_due():
            if stopping():
                return
            self._look(job)
        tell(self.commit(job, is_last=False))

    def _tidy(self) -> None:
        """What piles up with every commit goes again, a step at each; where that has to be asked for from afar, now and then."""
        is_time = time.monotonic() - self.dropped > _TIDY_S
        if is_time or not self.lake.states.grace_s:
            drop_states(self.lake, self.carried.state_files)
            reach("states_dropped")
            self.dropped = time.monotonic()
        next(self.tidying)

    def _look(self, job: Running) -> None:
        """See that all goes on, and begin again where a reader does."""
        self.cuts.see_that_readers_go_on()
        self._listen(job)
        self._see_that_all_is_read()
        time.sleep(_LOOK_S)

    def _listen(self, job: Running) -> None:
        """See that the job runs and its workers live: each question costs the runner something, too.

        What others have computed for the warehouse is put there: nothing of a cut is open meanwhile.
        """
        if time.monotonic() - self.heard > _LISTEN_S:
            self.heard = time.monotonic()
            job.see_that_it_runs()
            if self.cuts.has_lost_a_worker:
                raise JobFailed(ENDED, "a worker of the stream is gone", "start it again: it goes on where the last commit ended")
            take_in(self.lake)

    def _see_that_all_is_read(self) -> None:
        if self.cuts.is_lost:
            self._begin()
            raise GivenUp

    def is_due(self) -> bool:
        """Whether there may be anything to publish."""
        now = self.now()
        if not self.cuts.is_begun:
            return False
        is_due = self.carried.expected_at <= now or self.cuts.has_read(self.cuts.number)
        if not is_due:
            self.whole_at = now
        return is_due

    def commit(self, job: Running, is_last: bool) -> Committed:
        """Close the cut that is open, and publish it when all shards are done with it. While they are busy all is tidied."""
        began = self.closed = time.monotonic()
        began_at = self.now()
        closing = self.carried.closing(self.cuts.folder(self.cuts.number))
        number = self.cuts.close(closing, is_last, self.links.path)
        self.links.split(self.cuts.number)
        self._tidy()
        while not self.cuts.is_done(number):
            self._wait(job, number)
        reach("cut_done")
        committed = self._publish(number, closing)
        self.whole_at = began_at
        return committed._replace(seconds=time.monotonic() - began)

    def _wait(self, job: Running, number: int) -> None:
        """A moment, unless nothing comes any more. A job may end as soon as it is done with the last cut."""
        self.cuts.see_that_readers_go_on()
        self._see_that_all_is_read()
        try:
            self._listen(job)
        except JobFailed:
            if not self.cuts.is_done(number):
                raise
        time.sleep(_LOOK_S)

    def _publish(self, number: int, closing: Closing) -> Committed:
        folder = self.cuts.folder(number)
        moment, *_ = moment_of(folder)
        outlook, said = self.carried.outlook_at(moment.at), replace(closing, at=moment.at)
        written_at = moment.at if moment.writes_features else self.carried.last.written_at
        step = Step(self.lake, outlook, folder, said, written_at, ends_day=moment.writes_features)
        account = staged_account(folder)
        self._settle(step, number)
        _, turning_at, waiting = moment_of(folder)
        plan = step.run_plan()
        published = publish(self.lake, plan)
        known = self.carried if published.status == "unchanged" else self.carried.published(plan, published.leaves_some)
        self.carried = known.after(moment, account, turning_at)
        reach("carried")
        give_up(folder)
        records = int(pc.sum(account["read"]).as_py() or 0)
        notes = (*step.notes, *let_go(published.went), *self.noted)
        self.noted.clear()
        return Committed(published, moment.at, records, waiting, step.remade, notes, 0.0)

    def _settle(self, step: Step, number: int) -> None:
        """Advance shards once more that links or late news concern."""
        def advance(received: Sequence[ShardedBatch]) -> None:
            run_locally(SegmentAgain(step.outlook.program, self._stage(step.outlook, step.staging), received), lambda: None)

        both = self.links.read(received_links(step.staging))
        Relinking(self.lake, self.project, step.staging, both, self.links.split_by(number), advance).settle()
        moved = both.moved(self.project.target.shards)
        step.settle(Remaking(self.lake, self.project, step.staging, both, moved, advance))
        self.links.publish(both, number, self.project.target.shards)
