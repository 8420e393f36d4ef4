"""`target/run_results.json`: what became of the last run, whether it published, failed or was stopped."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runners.artifacts import FOLDER, drop_asides, write_artifact, written
from runners.audits.finding import Checked, FoundWanting
from runners.runs.attempt import RUNS, Attempt
from runners.runs.outlook import Outlook
from runners.runs.run_plan import Published, RunPlan
from runners.runs.stages import Ending, Stages
from schemas.definitions.lineage import Item, Lineage, reach
from schemas.definitions.project import SETTINGS, Project
from schemas.errors import SegueError

NAME = "run_results.json"
VERSION = 1
"""Of its form: docs/artifacts/run_results.schema.json."""
NODES = ("segments", "features")
"""What has a result of its own; of features, a group."""


@dataclass
class Results:
    """What is known of a run so far. Instants are int64 microseconds UTC.

    Attributes:
      project: once it could be read.
      published: run_id, status, t, k, the rows by table and how many subjects were made anew, once the run has ended well.
      error: code and message of what ended it otherwise.
      seconds: from the call to its end.
      checks: what each check of its audit saw.
      attempt: what it was begun with, once that is known.
    """

    stages: Stages = field(default_factory=Stages)
    project: Project | None = None
    published: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] | None = None
    checks: tuple[Checked, ...] = ()
    attempt: Attempt | None = None
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def begin(self, outlook: Outlook) -> None:
        """Nothing is read yet: pin the run, unless it is one that was pinned before."""
        self.attempt = self.attempt or Attempt.begin(outlook)

    def settle(self, plan: RunPlan) -> None:
        """All is read and computed. Errors: CallError where it is not what was pinned."""
        if self.attempt is not None:
            self.attempt.settle(plan)

    def end(self, published: Published, t_at: int, remade: int) -> None:
        """The run has ended well; what comes later changes nothing of it."""
        status = "published" if published.status == "published" else "unchanged"
        self._stop("success")
        self.checks = published.checks
        self.published = {
            "run_id": published.run_id,
            "status": status,
            "t": t_at,
            "k": published.known_at,
            "rows": dict(published.rows),
            "made_anew": remade,
        }

    def _stop(self, status: Ending) -> None:
        self.stages.end(status)
        self.seconds = time.monotonic() - self.began

    def fail(self, error: BaseException) -> None:
        """The run ended by this."""
        is_stop = isinstance(error, KeyboardInterrupt)
        self._stop("stopped" if is_stop else "error")
        self.checks = error.checks if isinstance(error, FoundWanting) else ()
        code, message = ("SEG-0130", "stopped") if is_stop else ("SEG-0999", type(error).__name__)
        if isinstance(error, SegueError):
            code, message = error.code, error.message
        self.error = {"code": code, "message": message}

    def document(self) -> dict[str, Any]:
        """The whole of it, JSON-able."""
        unpublished: dict[str, Any] = {"run_id": None, "status": "failed", "t": None, "k": None, "rows": {}, "made_anew": 0}
        return {
            "version": VERSION,
            **unpublished,
            **self.published,
            "pin": self.attempt.id if self.attempt else None,
            "seconds": round(self.seconds, 3),
            "stages": [{**asdict(one), "seconds": round(one.seconds, 3)} for one in self.stages.all],
            "checks": [one.document() for one in self.checks],
            "results": [] if self.project is None else self._results(self.project),
            **({"error": self.error} if self.error else {}),
        }

    def _results(self, project: Project) -> list[dict[str, Any]]:
        """One for each segment and feature group; what ended the run and concerns none of them ends all."""
        lineage = Lineage(project)
        found: dict[Item, list[str]] = {item: [] for item in lineage.items}
        findings = [one.finding for one in self.checks if one.finding is not None]
        for one in findings:
            if one.concerns is not None:
                below = reach([one.concerns], lineage.below) if one.concerns.kind not in NODES else ()
                for item in (one.concerns, *below):
                    found[item].append(str(one))
        is_whole = self.error is not None and (not any(found.values()) or any(not one.concerns for one in findings))
        return [
            {
                "kind": item.kind,
                "name": item.name,
                "status": "error" if is_whole or told else "success",
                "findings": told,
            }
            for item, told in found.items()
            if item.kind in NODES
        ]


@contextmanager
def recorded(root: Path, note: Callable[[str], None]) -> Iterator[Results]:
    """Write what becomes of the run inside, however it ends; what an earlier run left goes first.

    Where it fails, and was pinned, `note` is told how it can be done again.
    """
    results = Results()
    with suppress(OSError):
        (root / FOLDER / NAME).unlink(missing_ok=True)
        drop_asides(root / FOLDER, root / FOLDER / RUNS)
    try:
        yield results
    except BaseException as error:
        if not results.published:
            results.fail(error)
        with suppress(SegueError):  # what ended the call is what is told
            _write(root, results)
        if results.attempt is not None and not results.published:
            note(f"note: the run is pinned in {FOLDER / RUNS}; `segue retry {results.attempt.id}` does it again as it was")
        raise
    _write(root, results)


def _write(root: Path, results: Results) -> None:
    if (root / SETTINGS).is_file():  # a folder that is no project is left as it is
        document = results.document()
        write_artifact(root, NAME, written(document))
        if results.attempt is not None:
            results.attempt.end(document)


def failed_in(document: Mapping[str, Any]) -> frozenset[Item]:
    """The segments and feature groups that the results of a run say are in error."""
    return frozenset(Item(one["kind"], one["name"]) for one in document["results"] if one["status"] == "error")


def last_error(root: Path) -> Mapping[str, str] | None:
    """Code and message of what ended the last run, if it failed or was stopped and has left its results."""
    try:
        said = json.loads((root / FOLDER / NAME).read_text(encoding="utf-8"))["error"]
        return {key: said[key] for key in ("code", "message")}
    except (OSError, ValueError, KeyError, TypeError):
        return None  # there was none, or what is there is no result: the published runs are listed all the same
