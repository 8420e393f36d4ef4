"""A plan that was kept: read back, and carried out if the world is still what it was made of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.plans.planning import VERSION
from runners.runs.outlook import Options, Outlook
from runners.runs.pinning import are_pins, ends, listed, moved, others, overtaken, pinned
from runners.warehouses.lake import Lake
from runners.warehouses.read import last_run
from schemas.definitions.project import Project
from schemas.errors import CallError


def read_plan(path: Path) -> Mapping[str, Any]:
    """The target of a plan and what it pins, as `target` and `pinned`. Errors: CallError."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        found = {"target": said["target"], "pinned": said["pinned"]}
        is_one = said["version"] == VERSION and are_pins(said["pinned"])
    except (OSError, ValueError, KeyError, TypeError):
        is_one, found = False, {}
    if not is_one:
        raise CallError("SEG-0914", f"`{path}` is no plan of this version", "`segue plan -o plan.json` makes one")
    return found


def outlook_as_planned(lake: Lake, project: Project, plan: Mapping[str, Any], now: int) -> Outlook:
    """What the run finds now, which is what the plan has found; topics are read up to where they ended then.

    Errors: CallError that says what has moved.
    """
    pins, last = plan["pinned"], last_run(lake)
    _see([*moved(project, plan["target"], pins), *overtaken(pins, None if last is None else last.run_id)])
    outlook = Outlook.of(lake, project, Options(now, pins["t"], ends=ends(pins)))
    found = pinned(outlook)
    _see(_moved_inputs([*pins["inputs"], *pins["partitions"]], [*found["inputs"], *found["partitions"]]))
    return outlook


def _see(moved: list[str]) -> None:
    if moved:
        message = f"the plan does not hold any more, nothing was published: {'; '.join(moved)}"
        raise CallError("SEG-0915", message, "make a new one with `segue plan`")


def _moved_inputs(planned: list[Mapping[str, Any]], found: list[Mapping[str, Any]]) -> list[str]:
    before, after = ({f"{one['source']} {one['file']}": one for one in files} for files in (planned, found))
    names = [name.partition(" ")[2] for name in others(before, after)]
    return [f"there is more, less or something else to read in {listed(names)}"] if names else []
