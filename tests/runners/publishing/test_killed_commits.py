"""Killed at any moment between the first statement of its commit and its answer, all tables are of before or all of after."""

import shutil
import signal
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from runners.publishing.publish import publish
from runners.warehouses.ducklake import open_lake
from runners.warehouses.preparing import prepare
from tests.support.forking import Ended, Forks
from tests.support.published import Tables, tables_of
from tests.support.staged_runs import first_run

PARTS = 12
"""Of one commit, each of which is some statements."""


class Window:
    """A warehouse whose second run is killed while it commits, again and again from what stood before it.

    Attributes:
      open_s: how long it takes from the first statement to the answer.
      fell: how often a kill fell inside, by what stood then; and how often the answer was there first.
    """

    def __init__(self, folder: Path, forks: Forks) -> None:
        self.folder, self.forks, self.fell = folder, forks, Counter[str]()
        with open_lake(folder / "one", write=True) as lake:
            prepare(lake)
            publish(lake, first_run(lake))
        root = self._fresh("undisturbed")
        ended = forks.bring_up(root, 60.0, **_stopped(root))
        assert (ended.code, ended.said) == (0, "published\n"), ended.noted
        self.open_s, self.before, self.after = ended.seconds, tables_of(folder / "one"), tables_of(root)

    def _fresh(self, name: str) -> Path:
        root = self.folder / name / "warehouse"
        shutil.rmtree(root.parent, ignore_errors=True)
        shutil.copytree(self.folder / "one", root)
        return root

    def strike(self, seed: int) -> None:
        """One kill inside, after a random time or behind a random part; then the run once more."""
        dice, fell = Random(seed), "answered"
        while fell == "answered":
            root = self._fresh("killed")
            fell = self._fell(self._killed(root, dice), tables_of(root))
            self.fell[fell] += 1
            assert self.forks.bring_up(root).code == 0
            assert tables_of(root) == self.after, seed
            assert [*root.glob("staging/*")] == []

    def _killed(self, root: Path, dice: Random) -> Ended:
        if dice.random() < 0.25:
            fault, after_s = {"SEGUE_FAULT": f"part_written:{dice.randint(1, PARTS)}"}, None
            fault["SEGUE_FAULT_LOG"] = str(root.parent / "fired")
        else:
            fault, after_s = _stopped(root), dice.uniform(0, self.open_s)
        ended = self.forks.bring_up(root, after_s, **fault, LARGE=str(dice.choice((1, 1 << 24))))
        assert (root.parent / "fired").read_text() == f"{fault['SEGUE_FAULT']}\n"
        return ended

    def _fell(self, ended: Ended, found: Tables) -> str:
        """Where it fell; what was answered is there."""
        assert found in (self.before, self.after)
        if ended.said:
            assert found == self.after
            return "answered"
        assert ended.code == -signal.SIGKILL, ended.noted
        return "before" if found == self.before else "after"


def _stopped(root: Path) -> dict[str, str]:
    """It stands still before the first statement."""
    return {"SEGUE_FAULT": "before_commit", "SEGUE_FAULT_LOG": str(root.parent / "fired"), "SEGUE_FAULT_SIGNAL": "SIGSTOP"}


def strikes(folder: Path, times: int) -> None:
    with Forks() as forks:
        window = Window(folder, forks)
        for seed in range(times):
            window.strike(seed)
    print(dict(window.fell), f"in a window of {window.open_s:.3f} s")
    assert window.fell["before"] + window.fell["after"] == times
    assert window.fell["before"]


def test_a_commit_that_is_killed_at_any_moment_is_whole_or_is_not(tmp_path: Path) -> None:
    strikes(tmp_path, 6)


@pytest.mark.soak
def test_a_commit_that_is_killed_at_two_hundred_moments_is_whole_or_is_not(tmp_path: Path) -> None:
    strikes(tmp_path, 200)
