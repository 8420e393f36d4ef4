"""Runs that die after they were pinned, and what retrying them says."""

from contextlib import suppress
from pathlib import Path

from runners.runs.attempt import Attempt
from runners.runs.outlook import Options, Outlook
from runners.runs.run_plan import RunPlan
from runners.runs.running import Keeping, open_target, run_batch
from schemas.definitions.catalog import read_project
from tests.support.planned import segue
from tests.support.whole_runs import Target
from tests.support.worlds import language


class Died(Exception):
    """The run has come as far as it was to."""


class Dying:
    """Keeps what a run was begun with, and lets it die: before it reads, or when all is computed."""

    attempt: Attempt

    def __init__(self, when: str) -> None:
        self.when = when

    def begin(self, outlook: Outlook) -> None:
        self.attempt = Attempt.begin(outlook)
        if self.when == "begun":
            raise Died

    def settle(self, plan: RunPlan) -> None:
        self.attempt.settle(plan)
        raise Died


def live(folder: Path, options: Options, keeping: Keeping | None = None) -> None:
    """A run whose clock is given."""
    project = read_project(folder, language())
    with open_target(project) as lake:
        run_batch(lake, project, options, lambda stage, rows, share: None, keeping)


def die(folder: Path, options: Options, when: str = "begun") -> str:
    """Begin a run and let it die. Gives the id under which it is pinned."""
    dying = Dying(when)
    with suppress(Died):
        live(folder, options, dying)
        raise AssertionError("it has lived")
    return dying.attempt.id


def retry(target: Target, run: str) -> tuple[int, str]:
    """The exit code of `segue retry`, and what it notes."""
    code, _, noted = segue(target, "retry", run)
    return code, noted
