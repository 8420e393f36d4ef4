"""Calls that are killed and made again: backfills, the runs that put them in force and take them back, plans, runs done again."""

import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from runners.backfills.backfilling import backfill
from runners.backfills.intervals import Period
from runners.publishing.placing import LARGE
from schemas.definitions.catalog import read_project
from schemas.definitions.instant import write_instant
from schemas.definitions.selection import select
from tests.support.forking import Ended, Forks
from tests.support.generator import START
from tests.support.killed_points import POINTS, PUBLISHED, Point, pins_of, see_that_nothing_lies_about
from tests.support.killed_worlds import RUNS, SHARDS, LeftAlone, all_of, call, copied, moment, states_of, world_of
from tests.support.oracle_model import DAY, World
from tests.support.published import Tables
from tests.support.whole_runs import NOW, Target
from tests.support.worlds import language

PAST = Period(START - 40 * DAY, moment(RUNS - 2))
"""From February to April, up to the T of the last run but one: three intervals."""
CHOSEN = "lately without again grp"
ORDERS = ("wait for the warehouse", "interval 1", "interval 2", "interval 3")
"""What a backfill tells behind each of its commits."""


class Stop(NamedTuple):
    """A point, and how many of its commits a call has made by then."""

    point: Point
    commits: int


class Ready(NamedTuple):
    """A project that waits for a call.

    Attributes:
      call: the arguments; `{}` is the project's folder.
      stands: all tables before the call and behind each of its commits, where it is left alone.
      states: the files of states that are there then.
    """

    project: Path
    call: tuple[str, ...]
    stands: tuple[Tables, ...]
    states: set[str]


PUT = (
    Stop(Point("request_handed", "order_handed"), 0),
    Stop(Point("request_taken", "order_taken"), 0),
    Stop(Point("request_put", "order_put"), 1),
    Stop(Point("past_written", "past_written", spread=2), 1),
    Stop(Point("past_computed", "past_computed"), 1),
    Stop(Point("handed", "order_handed", 3), 2),
    Stop(Point("taken", "order_taken", 3), 2),
    Stop(Point("pieces_put", "pieces_put", 2), 2),
    Stop(Point("rows_put", "rows_put", 3), 3),
    Stop(Point("put", "order_put", 3), 3),
    Stop(Point("between", "interval_done", 2), 3),
    Stop(Point("all_put", "order_put", 4), 4),
    Stop(Point("all_done", "interval_done", 3), 4),
)
RUN = tuple(Stop(one, int(one.name in PUBLISHED)) for one in POINTS if one.name not in ("tables_made", "swept"))
AGAIN = (
    *(one for one in RUN if one.point.place != "aside_written"),
    Stop(Point("settled", "aside_written"), 0),
    *(Stop(Point(name, "aside_written", number), 1) for number, name in enumerate(("results", "ended", "page"), 2)),
)


def redefined(project: Path, world: World) -> None:
    """One segment looks further back, by which another one changes, and one is new; the features stay."""
    lately, without = world.project["segments"]
    further = {**lately, "when": {"did": {"event": "a", "window": "3d"}}}
    again = {"segment": "again", "purpose": "q", "when": {"did": {"event": "a", "count": ">= 2", "window": "lifetime"}}}
    Target(project, replace(world, project={**world.project, "segments": [further, without, again]})).sharded(SHARDS)


class Waiting:
    """The projects of one world that wait for calls, each made once."""

    def __init__(self, alone: LeftAlone, seed: int) -> None:
        self.alone, self.forks, self.world, self.seed = alone, alone.forks, world_of(seed), seed
        self.makers: Mapping[str, Callable[[Path], Ready]] = {
            "backfill": self._backfill, "promote": self._promote, "roll_back": self._roll_back,
            "apply": self._apply, "retry": self._retry,
        }  # fmt: skip
        self.made: dict[str, Ready] = {}

    def of(self, kind: str) -> Ready:
        """What waits for this kind of call."""
        if kind not in self.made:
            self.made[kind] = self.makers[kind](self.alone.folder / kind)
        return self.made[kind]

    def _redefined(self, project: Path) -> None:
        copied(self.alone.before(RUNS - 1), project)
        redefined(project, self.world)

    def _backfill(self, project: Path) -> Ready:
        self._redefined(project)
        done, stands = _beside(project), [all_of(project)]
        copied(project, done)
        backfilled = read_project(done, language())
        found: dict[str, Tables] = {}
        backfill(backfilled, select(backfilled, CHOSEN), PAST, lambda: NOW, lambda stage, *_: found.update({stage: all_of(done)}))
        stands += [found[stage] for stage in ORDERS]
        period = ("--from", write_instant(PAST.from_at), "--to", write_instant(PAST.to_at))
        return Ready(project, ("backfill", *period, "--select", CHOSEN), tuple(stands), states_of(done))

    def _promote(self, project: Path) -> Ready:
        copied(_beside(self.of("backfill").project), project)
        return self._left_alone(project, "run", "--as-of", write_instant(moment(RUNS - 1)))

    def _roll_back(self, project: Path) -> Ready:
        copied(_beside(self.of("promote").project), project)
        Target(project, self.world).sharded(SHARDS)
        return self._left_alone(project, "run", "--as-of", write_instant(moment(RUNS)))

    def _apply(self, project: Path) -> Ready:
        self._redefined(project)
        as_of = write_instant(moment(RUNS - 1))
        planned = self._called(project, "plan", "--as-of", as_of, "-o", str(project / "plan.json"))
        assert planned.code == 0, planned.noted
        return self._left_alone(project, "apply", "{}/plan.json")

    def _retry(self, project: Path) -> Ready:
        """A run has died before it had read anything, or before its commit; more has come since."""
        run, place = self.seed % (RUNS - 1), "before_commit" if self.seed % 2 else "begun"
        copied(self.alone.before(run), project)
        pins = pins_of(project)
        killed = call(self.forks, self.alone.folder, project, run, SEGUE_FAULT=place)
        assert killed.code == -signal.SIGKILL, killed.noted
        (pin,) = pins_of(project) - pins
        Target(project, self.world).sharded(SHARDS).write(self.alone.parts[RUNS - 1], "since")
        ready = self._left_alone(project, "retry", pin)
        assert ready.stands[-1] == self.alone.tables[run]
        return ready

    def _left_alone(self, project: Path, *arguments: str) -> Ready:
        done, stands = _beside(project), [all_of(project)]
        copied(project, done)
        ended = self._called(done, *(one.format(done) for one in arguments))
        assert (ended.code, json.loads(ended.said)["status"]) == (0, "published"), ended.noted
        return Ready(project, arguments, (*stands, all_of(done)), states_of(done))

    def _called(self, project: Path, *arguments: str, **environment: str) -> Ended:
        told = ("--project-dir", str(project), "--format", "json", *arguments)
        return self.forks.segue(self.alone.folder, *told, **environment)


def _beside(project: Path) -> Path:
    """Where the call was left alone."""
    return project.with_name(f"{project.name}_done")


def killed_and_called_again(stop: Stop, seed: int, folder: Path, ready: Ready, forks: Forks) -> None:
    """A call that is killed has made its first commits and no part of another; called again it makes the others, once."""
    project, fired, place = folder / "project", folder / "fired", stop.point.at(seed)
    copied(ready.project, project)
    told = ["--project-dir", str(project), "--format", "json", *(one.format(project) for one in ready.call)]
    large = 1 if seed % 2 or stop.point.name == "facts_placed" else LARGE
    fault = {"SEGUE_FAULT": place, "SEGUE_FAULT_LOG": str(fired), "LARGE": str(large)}
    killed = forks.segue(folder, *told, **fault)
    assert killed.code == -signal.SIGKILL, (killed.code, killed.noted)
    assert fired.read_text() == f"{place}\n"
    assert all_of(project) == ready.stands[stop.commits]
    for _ in range(1 + seed % 2):
        ended = forks.segue(folder, *told)
        assert ended.code == 0, ended.noted
        assert all_of(project) == ready.stands[-1]
        see_that_nothing_lies_about(folder, project, ready.states)
