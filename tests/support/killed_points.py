"""Where a run is killed, from its first file to its page, and what must hold afterwards."""

import json
import signal
from collections.abc import Set
from pathlib import Path
from typing import NamedTuple

from runners.publishing.placing import LARGE, RUN
from runners.warehouses.ducklake import is_there, open_lake
from tests.support.forking import Ended, Forks
from tests.support.killed_worlds import RUNS, LeftAlone, all_of, call, copied, states_of

ALWAYS = tuple(range(RUNS))


class Point(NamedTuple):
    """A place where a run is killed.

    Attributes:
      place: what the run reaches.
      first: its first passage that is meant.
      spread: so many passages from the first on are tried.
      runs: the runs of the world that get there.
      after: another place, at which it was killed just before.
    """

    name: str
    place: str
    first: int = 1
    spread: int = 1
    runs: tuple[int, ...] = ALWAYS
    after: str = ""

    def at(self, seed: int) -> str:
        """The place with its passage."""
        return f"{self.place}:{self.first + seed % self.spread}"


POINTS = (
    Point("manifest", "aside_written"),
    Point("tables_made", "table_made", spread=7, runs=(0,)),
    Point("swept", "swept", after="staged"),  # amid what a run that was killed has left
    Point("pinned", "aside_written", 2),
    Point("begun", "begun"),
    Point("linked", "linked"),
    Point("read", "read"),
    Point("decoded", "decoded"),
    Point("rows_staged", "rows_staged"),
    Point("state_written", "state_written", spread=2, runs=(0, 1, 2)),
    Point("computed", "computed"),
    Point("settled", "aside_written", 3),
    Point("staged", "staged"),
    Point("audited", "audited"),
    Point("state_copied", "state_copied", spread=2, runs=(0, 1, 2)),
    Point("facts_placed", "facts_placed"),
    Point("before_commit", "before_commit"),
    Point("part_written", "part_written", spread=13),
    Point("inside_commit", "inside_commit"),
    Point("after_commit", "after_commit"),
    Point("given_up", "given_up"),  # its staging has lost its name, and is there
    Point("before_answer", "before_answer"),
    Point("results", "aside_written", 4),  # it has said that it is published
    Point("ended", "aside_written", 5),
    Point("page", "aside_written", 6),
)
SOME = ("rows_staged", "state_copied", "part_written", "after_commit", "results")
"""Those of every day."""
LETS_GO = ("part_written", "inside_commit", "after_commit")
"""Those about the part of a commit by which events go."""
PUBLISHED = ("after_commit", "given_up", "before_answer", "results", "ended", "page")
ANSWERED = ("results", "ended", "page")


def killed_and_run_again(point: Point, seed: int, folder: Path, world: LeftAlone, forks: Forks) -> None:
    """One world whose run is killed at a point, then called again or retried: all is as if nothing had happened."""
    run = point.runs[seed % len(point.runs)]
    project, fired = folder / "project", folder / "fired"
    copied(world.before(run), project)
    pins = pins_of(project)
    places = [*([f"{point.after}:1"] if point.after else []), point.at(seed)]
    large = 1 if seed % 2 or point.name == "facts_placed" else LARGE
    for place in places:
        killed = call(forks, folder, project, run, SEGUE_FAULT=place, SEGUE_FAULT_LOG=str(fired), LARGE=str(large))
        assert killed.code == -signal.SIGKILL, (killed.code, killed.noted)
    assert fired.read_text() == "".join(f"{place}\n" for place in places)
    see_what_stands(point, run, project, world, killed)
    new = sorted(pins_of(project) - pins)
    if seed % 3 == 2 and len(new) == 1:
        ended = forks.segue(folder, "--project-dir", str(project), "--format", "json", "retry", new[0])
    else:
        ended = call(forks, folder, project, run)
    assert ended.code == 0, ended.noted
    assert json.loads(ended.said)["run_id"] == world.runs[run]
    assert all_of(project) == world.tables[run]
    see_that_nothing_lies_about(folder, project, world.states[run])


def see_what_stands(point: Point, run: int, project: Path, world: LeftAlone, killed: Ended) -> None:
    """All tables are those of before or all are those of after; what it said is so."""
    wanted = world.runs[: run + (point.name in PUBLISHED)]
    assert bool(killed.said) == (point.name in ANSWERED)
    assert published(project / "lake") == wanted
    if wanted:
        assert all_of(project) == world.tables[len(wanted) - 1]


def published(root: Path) -> list[str]:
    """The runs that a warehouse has; none where it has no tables yet."""
    if not is_there(root):
        return []
    with open_lake(root) as lake:
        names = lake.comments("table")
        return [one for (one,) in lake.rows("SELECT run_id FROM run_commits ORDER BY committed_at")] if names else []


def pins_of(project: Path) -> set[str]:
    """The runs that are pinned."""
    return {path.stem for path in project.glob("target/runs/*.json")}


def see_that_nothing_lies_about(folder: Path, project: Path, states: Set[str]) -> None:
    """What is there is named by the last commit or told whole; of states, no more than where nothing happened."""
    root = project / "lake"
    with open_lake(root) as lake:
        hashes = dict(lake.rows("SELECT path, sha256 FROM kernel_state"))
        assert hashes == {path: lake.states.digest(path) for path in hashes}
    assert hashes.keys() <= states_of(project) <= states
    assert {path.name.removeprefix(RUN) for path in root.glob(f"data/main/*/{RUN}*")} <= {*published(root)}
    assert [*root.glob("staging/*"), *root.glob("spill/*"), *root.glob("handed/*/")] == []
    told = [path for path in project.glob("target/**/*") if path.is_file()]
    assert {path.suffix for path in told} <= {".json", ".html"} and not [path for path in told if path.name.startswith(".")]
    for path in told:
        assert path.suffix == ".html" or json.loads(path.read_text())
    assert [path for path in (folder / "temporary").rglob("*") if path.is_file()] == []
