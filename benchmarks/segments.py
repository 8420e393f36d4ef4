"""What more segments cost the kernel: the same facts under 10, 50 or 200 of them, and calls for a few subjects.

    python -m benchmarks.segments PROJECT AT     after a run of the benchmark's project: a table, then JSON

The segments are drawn from a seed over every operator that asks about events, so that more of them share leaves as those of
one shop do. The facts are those of one subject in ten, in one shard. A call gives so many subjects one new event each, and
answers for all segments.
"""

import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from benchmarks.kernels import by_shard, cpu_seconds, published
from schemas.definitions.catalog import Project, read_project
from schemas.definitions.language import Language
from transforms.algebra.advance import advance
from transforms.algebra.aggregates import AGGREGATES
from transforms.algebra.operators import OPERATORS
from transforms.algebra.order import BEGINNING
from transforms.algebra.program import Moment, Program
from transforms.algebra.project import type_of
from transforms.algebra.state import State, empty_state

ROOT = Path(__file__).resolve().parents[1]
SEGMENTS = (10, 50, 200)
"""How many segments the kernel is given, one number after the other."""
CALLS = (3, 30, 300)
"""How many subjects a call is about."""
_SLICES = 10
NOT_COPIED = ("data", "later", "warehouse", "target")
_REPEATS = 5
_SEED = 11
_EVENTS = ("page_view", "product_view", "search", "cart_add", "checkout_started", "order_completed", "letter_opened")
_LENGTHS = ("1d", "7d", "14d", "30d", "90d")

Draw = Callable[[Random], dict[str, Any]]


def _about(random: Random) -> dict[str, Any]:
    return {"event": random.choice(_EVENTS)}


def _windowed(random: Random) -> dict[str, Any]:
    return {**_about(random), "window": random.choice(_LENGTHS)}


def _longer(random: Random) -> str:
    return random.choice(_LENGTHS[1:])


LEAVES: tuple[Draw, ...] = (
    lambda random: {"did": {**_windowed(random), "count": f">= {random.randint(1, 6)}"}},
    lambda random: {"did": {**_windowed(random), "distinct": "category", "count": f">= {random.randint(2, 4)}"}},
    lambda random: {"did_not": _windowed(random)},
    lambda random: {"first_time": _windowed(random)},
    lambda random: {"nth": {**_windowed(random), "n": random.randint(2, 5)}},
    lambda random: {"last": {**_windowed(random), "having": "category = 'books'"}},
    lambda random: {"regularly": {**_about(random), "at_least": 3, "of_last": random.choice((4, 6)), "period": "week"}},
    lambda random: {"sequence": {"steps": random.sample(_EVENTS, 3), "within": random.choice(_LENGTHS), "window": "30d"}},
    lambda random: {"inaction": {"after": "cart_add", "not": "order_completed", "for": "1d", "within": _longer(random)}},
    lambda random: {"stopped": {**_about(random), "active": "30d", "quiet": random.choice(("7d", "14d"))}},
    lambda random: {"restarted": {**_about(random), "active": "7d", "quiet": random.choice(("14d", "30d"))}},
    lambda random: {"lifecycle": {**_about(random), "period": random.choice(("7d", "30d")), "in": ["retained"]}},
)


def drawn(count: int) -> list[dict[str, Any]]:
    """So many segments, each of one to three leaves; a larger number begins with the segments of a smaller one."""
    random = Random(_SEED)
    made = []
    for number in range(count):
        leaves = [LEAVES[(number + more * 5) % len(LEAVES)](random) for more in range(random.randint(1, 3))]
        when = {random.choice(("all", "any")): leaves}
        made.append({"segment": f"drawn_{number:03}", "purpose": "analytics", "when": when})
    return made


def write(root: Path, folder: Path, count: int) -> Project:
    """The benchmark's project with drawn segments instead of its own, in a folder beside it."""
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns(*NOT_COPIED, "segments"))
    (folder / "segments").mkdir()
    for one in drawn(count):
        (folder / "segments" / f"{one['segment']}.yaml").write_text(yaml.safe_dump(one))
    return read_project(folder, Language(OPERATORS, AGGREGATES, type_of))


def by_segments(project: Path, at: str) -> list[dict[str, Any]]:
    """What each number of segments costs, in a process of its own: this one reads nothing, for its peak would be theirs."""
    with tempfile.TemporaryDirectory() as folder:
        _python("read", str(project), folder)
        return [json.loads(_python("measure", str(project), folder, at, str(count)).splitlines()[-1]) for count in SEGMENTS]


def _python(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.segments", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def read(root: Path, folder: Path) -> None:
    """Write the facts of one subject in ten, as a run has published them."""
    facts = by_shard(published(read_project(root, Language(OPERATORS, AGGREGATES, type_of))), _SLICES)[0]
    for name, table in facts.items():
        with pa.ipc.new_file(str(folder / f"{name}.arrow"), table.schema) as file:
            file.write_table(table)


def measure(root: Path, folder: Path, at: int, count: int) -> dict[str, Any]:
    """Answer for everybody, then for a few, and tell what each took."""
    facts = {path.stem: pa.ipc.open_file(str(path)).read_all() for path in folder.glob("*.arrow")}
    project = write(root, folder / f"project_{count}", count)
    program, kept = Program(project, dict.fromkeys(project.segments, 1)), list[State]()
    nothing, before = empty_state(program), _peak_mb()
    whole = cpu_seconds(lambda: kept.append(advance(program, nothing, facts, Moment(BEGINNING, at))[0]))
    more = _peak_mb() - before
    calls = {str(size): _milliseconds(program, kept[0], facts["events"], at, size) for size in CALLS}
    return {"segments": count, "cpu_seconds": whole, "more_mb": more, "call_ms": calls}


def _peak_mb() -> float:
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def print_segments(told: Sequence[Mapping[str, Any]]) -> None:
    """One table, and below each column by how much it grows from the fewest segments to the most."""
    rows = [[row["segments"], row["cpu_seconds"], row["more_mb"], *row["call_ms"].values()] for row in told]
    sizes = "".join(f"{f'ms for {size}':>12}" for size in told[0]["call_ms"])
    print(f"{'kernel, segments':30}{'CPU s':>12}{'MB more':>12}{sizes}")
    for count, seconds, more, *calls in rows:
        print(f"{count:<30}{seconds:12.2f}{more:12.0f}" + "".join(f"{milliseconds:12.1f}" for milliseconds in calls))
    growth = [most / max(fewest, 1e-9) for most, fewest in zip(rows[-1], rows[0], strict=True)]
    print(f"{f'grows, by {growth[0]:.0f} times the segments':30}" + "".join(f"{factor:11.1f}x" for factor in growth[1:]))


def _milliseconds(program: Program, state: State, events: pa.Table, at: int, size: int) -> float:
    """The CPU time of a call with one new event of each of so many subjects, the best of a few."""
    nothing = {name: schema.empty_table() for name, schema in program.project.schemas.items()}
    arrived = {**nothing, "events": _fresh(events, at, size)}
    times = []
    for _ in range(_REPEATS):
        started = time.process_time()
        advance(program, state, arrived, Moment(at, at + 1))
        times.append(time.process_time() - started)
    return min(times) * 1_000


def _fresh(events: pa.Table, at: int, size: int) -> pa.Table:
    """One event of each of so many subjects, as if it happened just after T."""
    subjects = pc.unique(events["subject"])
    chosen = subjects.take(pa.array(np.linspace(0, len(subjects) - 1, size).astype(np.int64)))
    rows = events.take(pc.index_in(chosen, value_set=events["subject"].combine_chunks()))
    moments = pa.array(np.full(size, at + 1)).cast(pa.timestamp("us", "UTC"))
    fresh = {"occurred_at": moments, "received_at": moments, "event_id": pa.array([f"fresh{n}" for n in range(size)])}
    for name, column in fresh.items():
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows


def main(arguments: list[str]) -> None:
    """Print the table; or, in a process of its own, do a part of the work."""
    match arguments:
        case ["read", root, folder]:
            read(Path(root), Path(folder))
        case ["measure", root, folder, at, count]:
            print(json.dumps(measure(Path(root), Path(folder), _instant(at), int(count))))
        case [root, at]:
            told = by_segments(Path(root), at)
            print_segments(told)
            print(json.dumps(told))


def _instant(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp()) * 1_000_000


if __name__ == "__main__":
    main(sys.argv[1:])
