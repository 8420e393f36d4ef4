"""What a plan was made of, and that it still is so."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runners.outlook import Options, Outlook
from runners.warehouses.ducklake import Lake
from runners.warehouses.read import last_run
from schemas.definitions.project import Project
from schemas.errors import CallError
from schemas.record import Input, Partition

VERSION = 1
"""Of a plan's form: docs/artifacts/plan.schema.json."""
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "definitions": str,
    "segments": dict,
    "last_run": (str, type(None)),
    "t": int,
    "shards": int,
    "inputs": list,
}
_FILE = ("source", "file", "size", "mtime_ns")
_PARTITION = ("source", "file", "start", "end")


def pinned(outlook: Outlook) -> dict[str, Any]:
    """All that decides what the run will publish, JSON-able. `t` is int64 microseconds UTC."""
    project, inputs = outlook.project, outlook.reading.listing.inputs
    partitions = [one for one in inputs if isinstance(one, Partition)]
    return {
        "definitions": project.meaning,
        "segments": {name: segment.meaning for name, segment in sorted(project.segments.items())},
        "last_run": None if outlook.last is None else outlook.last.run_id,
        "t": outlook.t_at,
        "shards": project.target.shards,
        "inputs": [{name: getattr(one, name) for name in _FILE} for one in inputs if isinstance(one, Input)],
        "partitions": [{name: getattr(one, name) for name in _PARTITION} for one in partitions],
    }


def read_plan(path: Path) -> Mapping[str, Any]:
    """The target of a plan and what it pins, as `target` and `pinned`. Errors: CallError."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        pins = said["pinned"]
        is_one = said["version"] == VERSION and all(isinstance(pins[name], kind) for name, kind in _KINDS.items())
        pins = {"partitions": [], **pins}
        for name, keys in (("inputs", _FILE), ("partitions", _PARTITION)):
            is_one = is_one and all(one.keys() == {*keys} for one in pins[name])
        found = {"target": said["target"], "pinned": pins}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_one, found = False, {}
    if not is_one:
        raise CallError("SEG-0914", f"`{path}` is no plan of this version", "`segue plan -o plan.json` makes one")
    return found


def outlook_as_planned(lake: Lake, project: Project, plan: Mapping[str, Any], now: int) -> Outlook:
    """What the run finds now, which is what the plan has found; topics are read up to where they ended then.

    Errors: CallError that says what has moved.
    """
    pins = plan["pinned"]
    last = last_run(lake)
    _see([*_moved(project, plan), *_overtaken(pins, None if last is None else last.run_id)])
    ends = {(one["source"], one["file"]): one["end"] for one in pins["partitions"]}
    outlook = Outlook.of(lake, project, Options(now, pins["t"], ends=ends))
    found = pinned(outlook)
    _see(_moved_inputs([*pins["inputs"], *pins["partitions"]], [*found["inputs"], *found["partitions"]]))
    return outlook


def _see(moved: list[str]) -> None:
    if moved:
        message = f"the plan does not hold any more, nothing was published: {'; '.join(moved)}"
        raise CallError("SEG-0915", message, "make a new one with `segue plan`")


def _moved(project: Project, plan: Mapping[str, Any]) -> Iterator[str]:
    pins = plan["pinned"]
    if plan["target"] != project.target.name:
        yield f"it is for the target `{plan['target']}`, not `{project.target.name}`"
    if pins["definitions"] != project.meaning:
        names = _others(pins["segments"], {name: one.meaning for name, one in project.segments.items()})
        yield f"the definitions have changed{': segment ' if names else ''}{_listed(names)}"
    if pins["shards"] != project.target.shards:
        yield "the number of shards has changed"


def _overtaken(pins: Mapping[str, Any], last_run: str | None) -> Iterator[str]:
    if pins["last_run"] != last_run:
        yield f"the run {last_run} was published since" if last_run else "the warehouse has no run any more"


def _moved_inputs(planned: list[Mapping[str, Any]], found: list[Mapping[str, Any]]) -> list[str]:
    before, after = ({f"{one['source']} {one['file']}": one for one in files} for files in (planned, found))
    names = [name.partition(" ")[2] for name in _others(before, after)]
    return [f"there is more, less or something else to read in {_listed(names)}"] if names else []


def _others(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names under which there is something else now."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _listed(names: list[str]) -> str:
    """Three names, and how many more."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(f'`{name}`' for name in names[:3])}{more}"
