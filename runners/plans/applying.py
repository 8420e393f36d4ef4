"""A plan that was kept: read back, and carried out once, if the world is still what it was made of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.plans.planning import VERSION
from runners.runs.outlook import Options, Outlook
from runners.runs.pinning import Pins, are_pins, ends, listed, moved, others, overtaken, pinned
from runners.runs.results import Results
from runners.runs.running import Outcome, carry_out, published_before
from runners.runs.step import Tell
from runners.sources.files import Positions
from runners.warehouses.lake import Lake, quoted
from runners.warehouses.published import LastRun, last_run
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


def do_as_planned(
    lake: Lake, project: Project, plan: Mapping[str, Any], now: int, results: Results, tell: Tell
) -> Outcome:
    """Carry a plan out; where the last run is what it tells of, all stays as it is, whatever has come since.

    Errors: CallError that says what has moved; those of a run.
    """
    last = last_run(lake)
    if last is not None and plan["target"] == project.target.name and _is_carried_out(lake, plan["pinned"], last):
        return published_before(last)
    return carry_out(lake, _outlook(lake, project, plan, last, now), tell, results)


def _is_carried_out(lake: Lake, pins: Pins, last: LastRun) -> bool:
    """Whether the last run is the pinned one: upon the same run, at the same T, by the same definitions, from the same bytes."""
    about = f"FROM run_manifest JOIN run_commits USING (run_id) WHERE run_id = {quoted(last.run_id)}"
    ((parent, inputs),) = lake.rows(f"SELECT parent_run_id, inputs {about}")
    found = (parent, last.definitions, last.t_at, last.shards)
    if found != tuple(pins[name] for name in ("last_run", "definitions", "t", "shards")):
        return False
    before, after = _places(json.loads(inputs)["before"]), _places(last.positions)
    wanted = {(one["source"], one["file"]): _place(one) for one in (*pins["inputs"], *pins["partitions"])}
    return {key for key in after if after[key] != before.get(key)} <= wanted.keys() and wanted.items() <= after.items()


def _places(positions: Positions) -> dict[tuple[str, str], tuple[int, ...]]:
    return {(source, file): _place(one) for source, files in positions.items() for file, one in files.items()}


def _place(said: Mapping[str, Any]) -> tuple[int, ...]:
    """How far a file or a partition is read, by a pin as by a position."""
    if "size" in said:
        return said["size"], said["mtime_ns"], said["inode"]
    return (said["end"] if "end" in said else said["offset"],)


def _outlook(lake: Lake, project: Project, plan: Mapping[str, Any], last: LastRun | None, now: int) -> Outlook:
    """What the run finds now, which is what the plan has found; topics are read up to where they ended then.

    Errors: CallError that says what has moved.
    """
    pins = plan["pinned"]
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
