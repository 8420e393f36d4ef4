"""A run as it was begun: `target/runs/<id>.json` pins it before it reads anything, and says what became of it.

Beside it lies its page, `<id>.html`.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.artifacts import FOLDER, write_artifact, written
from runners.runs.outlook import Outlook
from runners.runs.pinning import are_pins, pinned
from runners.runs.run_page import page
from runners.runs.run_plan import RunPlan, canonical
from schemas.definitions.canonical import digest
from schemas.errors import CallError

RUNS = Path("runs")
"""Below `target/`."""
VERSION = 1
"""Of its form: docs/artifacts/run.schema.json."""
KEPT = 100
"""So many runs are kept; those that began earlier go."""
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "id": str,
    "target": str,
    "started_at": int,
    "known_at": (int, type(None)),
    "full_refresh": bool,
    "definitions": dict,
    "run_id": (str, type(None)),
}


@dataclass
class Attempt:
    """One run of a project, from before it reads anything to its end, published or not; instants are int64 microseconds UTC.

    Attributes:
      root: the project's folder.
      said: the whole of it, JSON-able.
    """

    root: Path
    said: dict[str, Any]

    @classmethod
    def begin(cls, outlook: Outlook) -> "Attempt":
        """Pin what the run builds on and what it is going to read. Errors: JobFailed where that can not be written."""
        project, options = outlook.project, outlook.options
        pins = {
            "version": VERSION,
            "project": project.name,
            "target": project.target.name,
            "started_at": options.now,
            "known_at": options.known_at,
            "full_refresh": options.full_refresh,
            "pinned": pinned(outlook),
            "definitions": dict(project.texts),
        }
        begun = cls(project.root, {"id": digest(canonical(pins))[:16], **pins, "run_id": None, "results": None})
        begun._write()
        _forget(project.root)
        return begun

    @property
    def id(self) -> str:
        """Its name before anybody knows K: the hash of what it pins."""
        return str(self.said["id"])

    @property
    def run_id(self) -> str | None:
        """The run that it becomes once it is published; None until all is read."""
        return self.said["run_id"]

    def settle(self, plan: RunPlan) -> None:
        """All is read and computed. Errors: CallError where that is not what it was the first time."""
        if self.run_id not in (None, plan.run_id):
            raise refused(["what it has read is not what it read before: a file was changed in its middle"])
        self.said["run_id"] = plan.run_id
        self._write()

    def end(self, results: Mapping[str, Any]) -> None:
        """What became of it, as run_results.json has it, also as a page. Errors: JobFailed."""
        self.said["results"] = results
        self._write()
        write_artifact(self.root, RUNS / f"{self.id}.html", page(self.said))

    def _write(self) -> None:
        write_artifact(self.root, RUNS / f"{self.id}.json", written(self.said))


def refused(why: list[str]) -> CallError:
    """What is said where a run can not be done again as it was begun."""
    hint = "`segue run` does what there is to do now"
    return CallError("SEG-0919", f"the run can not be done again as it was, nothing was published: {'; '.join(why)}", hint)


def find(root: Path, name: str) -> Attempt:
    """The run whose id, or the id of what it published, begins like this. Errors: CallError unless it is one."""
    found = [one for one in map(_read, _files(root)) if one is not None and name and _is_called(one, name)]
    if len(found) != 1:
        what = "more than one run is" if found else "no run is"
        hint = f"{FOLDER / RUNS} has the last {KEPT} that were begun here"
        raise CallError("SEG-0918", f"{what} called `{name}`", hint)
    return Attempt(root, found[0])


def _is_called(said: Mapping[str, Any], name: str) -> bool:
    return said["id"].startswith(name) or (said["run_id"] or "").startswith(name)


def _read(path: Path) -> dict[str, Any] | None:
    """What a file says, None where it is none of ours: of another version, or cut short by hand."""
    with suppress(OSError, ValueError):
        said = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(said, dict) and said.get("version") == VERSION and are_pins(said.get("pinned")):
            return said if all(isinstance(said.get(name), kind) for name, kind in _KINDS.items()) else None
    return None


def _files(root: Path) -> list[Path]:
    return sorted((root / FOLDER / RUNS).glob("*.json"))


def _forget(root: Path) -> None:
    """Those that began long ago go, with their pages."""
    for path in sorted(_files(root), key=lambda one: one.stat().st_mtime_ns)[:-KEPT]:
        for one in (path, path.with_suffix(".html")):
            one.unlink(missing_ok=True)
