"""A world by a seed, delivered in four parts, as a project that is run after each and left alone.

The first part, an increment, what comes late with a withdrawal, and links, by which subjects go to other shards.
"""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from schemas.definitions.instant import write_instant
from tests.support.forking import Ended, Forks
from tests.support.generator import START, Generator
from tests.support.histories import Fact
from tests.support.oracle_model import DAY, HOUR, Consent, Link, World
from tests.support.published import CLOCK, Tables, tables_of
from tests.support.whole_runs import Target, crowded, shuffled

RUNS, GROUPS, SHARDS = 4, 4, 3
AGO_S = 1_700_000_000
"""When files were written: long enough ago for their times to be trusted."""
_DEFINED: dict[str, Any] = {
    "segments": [
        {"segment": "lately", "purpose": "p", "when": {"did": {"event": "a", "window": "2d"}}},
        {
            "segment": "without",
            "purpose": ["p", "q"],
            "when": {"all": [{"in_segment": "lately"}, {"did_not": {"event": "b", "window": "1d"}}]},
        },
    ],
    "features": [
        {
            "features": "grp",
            "purpose": "p",
            "source": {"event": "any"},
            "aggregates": [{"name": "spent", "op": "sum", "of": "amount", "windows": ["2d"]}],
        }
    ],
    "lists": {},
    "polygons": {},
    "state_reach": "3d",
}
_KEPT = {"retention": "4d", "max_lookback": "3d"}
"""So long, beside a `state_reach` of a day, that each run but the first lets events go which were told of before, and the last
ones correct what is left."""


def moment(run: int) -> int:
    """The T of a run."""
    return START + (5 + 2 * run) * DAY


def world_of(seed: int, keeps: bool = True) -> World:
    """Facts of four draws, with links, and a few definitions; events are kept for ever, or but for a time."""
    generator = Generator(Random(seed))
    generator.merges = True
    drawn = crowded(generator, GROUPS)
    project = {**drawn.project, **_DEFINED}
    if not keeps:
        project |= {"state_reach": "1d", "purposes": [one | _KEPT for one in project["purposes"]]}
    return replace(drawn, project=project)


def parts_of(world: World, seed: int) -> list[Sequence[Fact]]:
    """What each run is given."""
    facts = sorted(shuffled(world, Random(seed)), key=lambda fact: fact.received_at)
    links, others = [one for one in facts if isinstance(one, Link)], [one for one in facts if not isinstance(one, Link)]
    half, more = len(others) // 2, 3 * len(others) // 4
    return [others[:half], others[half:more], [*others[more:], *_late(world)], links]


def _late(world: World) -> list[Fact]:
    """An event of long ago that was received just now, and a withdrawal that was, of somebody who is known."""
    who, now = world.events[0].subject, moment(2) - HOUR
    event = replace(world.events[0], event_id="late", event="a", occurred_at=START + HOUR, received_at=now)
    said = {"method": "interactive", "actor": "subject"}
    return [event, Consent("led", who, "late", "p", "WITHDRAW", START + 2 * HOUR, now, **said)]


class LeftAlone:
    """One world, run whole; what stood before each run is kept."""

    def __init__(self, folder: Path, seed: int, forks: Forks, keeps: bool = True) -> None:
        self.folder, self.forks = folder, forks
        world = world_of(seed, keeps)
        self.parts = parts_of(world, seed)
        self.target = Target(folder / "project", world).sharded(SHARDS)
        self.runs: list[str] = []
        self.tables: list[Tables] = []
        self.states: list[set[str]] = []

    def before(self, run: int) -> Path:
        """The project when a run is about to begin; that run and those before it are done."""
        while len(self.runs) <= run:
            self._run(len(self.runs))
        return self.folder / f"before{run}"

    def _run(self, run: int) -> None:
        _deliver(self.target, self.parts[run], "grown" if run < 3 else "links")
        copied(self.target.folder, self.folder / f"before{run}")
        ended = call(self.forks, self.folder, self.target.folder, run)
        said = json.loads(ended.said)
        assert (ended.code, said["status"]) == (0, "published"), ended.noted
        self.runs.append(said["run_id"])
        self.tables.append(all_of(self.target.folder))
        self.states.append(states_of(self.target.folder))


Worlds = Callable[[int], LeftAlone]
"""By their seeds."""


def call(forks: Forks, folder: Path, project: Path, run: int, **environment: str) -> Ended:
    """`segue run`, as a user calls it."""
    told = ("--project-dir", str(project), "--format", "json", "run", "--as-of", write_instant(moment(run)))
    return forks.segue(folder, *told, **environment)


def all_of(project: Path) -> Tables:
    """All tables, but for when calls were begun and committed, and for the order in which states have their rows.

    No world has sessions: what has an end is an interval of a backfill.
    """
    return tables_of(project / "lake", CLOCK | {"started_at", "ended_at", "sha256"})


def states_of(project: Path) -> set[str]:
    """The files of states, as commits name them."""
    return {str(path.relative_to(project / "lake")) for path in project.glob("lake/state/*/*")}


def copied(project: Path, to: Path) -> None:
    """The same project in another place; its files of data are the same files."""
    shutil.copytree(project, to, copy_function=_same)


def _same(path: str, to: str) -> None:
    if "/data/" in path and path.endswith(".ndjson"):
        os.link(path, to)
    else:
        shutil.copy2(path, to)


def _deliver(target: Target, facts: Sequence[Fact], name: str) -> None:
    """Write facts behind those that are there, in files which no copy of the project shares."""
    for path in target.folder.glob(f"data/*/{name}.ndjson"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    for path in target.write(facts, name):
        os.utime(path, (AGO_S, AGO_S))


