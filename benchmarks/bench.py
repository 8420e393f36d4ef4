"""How fast Segue is, beside the best SQL by hand and a plain Beam pipeline: one run, one input, in one table.

    python -m benchmarks.bench [--events N] [--subjects N] [--seed N] [--every N] [--folder DIR] [--save FILE]

writes a world without its last 1 % and runs on it, each as a process of its own: `segue run`, the SQL by hand, and the
plain pipeline over a slice of the subjects, scaled by the events in it. Then the last 1 % is added, and `segue run` runs
again. Last comes what publishing takes (`benchmarks/publishing.py`). The ratios go to `benchmarks/latest.json`; they are
of CPU seconds without imports, which depend least on what else the machine does, and under `by_wall` of seconds on the
clock.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.world import END_AT, HERE, RECENT_AT, Size, reveal, take_slice

ROOT = Path(__file__).resolve().parents[1]
LATEST = Path(__file__).resolve().parent / "latest.json"
NOT_COPIED = ("data", "later", "warehouse", "target")


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds on the clock, CPU seconds (user and system), and megabytes of memory at its peak."""

    wall: float
    cpu: float
    peak_mb: float = 0.0

    def __sub__(self, imports: "Cost") -> "Cost":
        """Without the imports, which cost as much in a process that does nothing else."""
        return Cost(max(self.wall - imports.wall, 1e-3), max(self.cpu - imports.cpu, 1e-3), self.peak_mb)

    def __add__(self, imports: "Cost") -> "Cost":
        """With the imports."""
        return Cost(self.wall + imports.wall, self.cpu + imports.cpu, self.peak_mb)

    def __mul__(self, times: float) -> "Cost":
        """Of so many times the work."""
        return Cost(self.wall * times, self.cpu * times, self.peak_mb)


@dataclass(frozen=True)
class Row:
    """One line of the table: `whole` with the imports, `net` without them."""

    name: str
    whole: Cost
    net: Cost


def measured(arguments: Sequence[str]) -> Cost:
    """Run a Python of its own with these arguments, and say what it took. RuntimeError where it fails."""
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            tail = said.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"`{' '.join(arguments)}` ended with {process.returncode}:\n{tail}")
    unit = 1 if platform.system() == "Darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


def bench(folder: Path, size: Size, every: int) -> dict[str, object]:
    """Measure everything in a copy of the project below `folder`, print the table, and give what goes to the file."""
    project = folder / "project"
    shutil.copytree(HERE, project, ignore=shutil.ignore_patterns(*NOT_COPIED))
    _write_world(project, size)
    at, end = _written(RECENT_AT), _written(END_AT)
    segue = _row("Segue, first run", "runners.runs.running", _segue(project, at))
    state_bytes = sum(path.stat().st_size for path in (project / "warehouse" / "state").rglob("*.arrow"))
    by_sql = ["-m", "benchmarks.by_sql", str(project), str(folder / "by_sql"), "--at", at]
    sql = _row("SQL by hand", "benchmarks.by_sql", by_sql)
    naive = _naive(folder, project, at, every)
    kernels, (*table, segments) = _kernels(project, at), _said("benchmarks.segments", str(project), at)
    reveal(project)
    increment = _row("Segue, then 1 % more", "runners.runs.running", _segue(project, end))
    _print([segue, sql, naive, increment], kernels)
    print(*table, sep="\n")
    *table, publishing = _said("benchmarks.publishing")
    print(*table, sep="\n")
    ratios = {
        "naive_over_segue": (naive.net, segue.net),
        "segue_over_sql": (segue.net, sql.net),
        "increment_over_full": (increment.net, segue.net),
    }
    return {
        **{name: _short(some.cpu / other.cpu) for name, (some, other) in ratios.items()},
        "kernel_over_sql": _short(kernels["segue"] / kernels["sql"]),
        "state_bytes_per_subject": _short(state_bytes / size.subjects),
        "peak_rss_mb": round(segue.whole.peak_mb),
        "by_wall": {name: _short(some.wall / other.wall) for name, (some, other) in ratios.items()},
        "seconds": {
            row.name: {"whole": asdict(row.whole), "net": asdict(row.net)} for row in (segue, sql, naive, increment)
        },
        "kernel_cpu_seconds": kernels,
        "by_segments": json.loads(segments),
        "publishing": json.loads(publishing),
        "world": asdict(size),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


def _write_world(project: Path, size: Size) -> None:
    """In a process of its own: Linux counts the peak of this one, which starts the others, as theirs."""
    sizes = ["--events", str(size.events), "--subjects", str(size.subjects), "--seed", str(size.seed)]
    measured(["-m", "benchmarks.world", str(project), *sizes])


def _written(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _segue(project: Path, at: str) -> list[str]:
    return ["-m", "runners.main", "--project-dir", str(project), "--quiet", "run", "--as-of", at]


def _row(name: str, imports: str, arguments: Sequence[str]) -> Row:
    """One process, and what its imports cost alone: imported once before, so that neither finds the disk cold."""
    only_imports = ["-c", f"import {imports}"]
    measured(only_imports)
    alone, whole = measured(only_imports), measured(arguments)
    return Row(name, whole, whole - alone)


def _naive(folder: Path, project: Path, at: str, every: int) -> Row:
    """The plain pipeline over the slice, and what it would take for all events: its work is linear in them."""
    events, taken = take_slice(project, folder / "slice", every)
    arguments = ["-m", "benchmarks.by_beam", str(folder / "slice"), str(folder / "by_beam"), "--at", at]
    row = _row(f"plain Beam, 1 in {every}, scaled", "benchmarks.by_beam", arguments)
    net = row.net * (events / taken)
    return Row(row.name, net + (row.whole - row.net), net)


def _kernels(project: Path, at: str) -> dict[str, float]:
    """CPU seconds of both kernels, in a process of their own."""
    arguments = [sys.executable, "-m", "benchmarks.kernels", str(project), at]
    answer = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True)
    seconds: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return seconds


def _said(module: str, *given: str) -> list[str]:
    """What a benchmark of its own prints: a table, and the same as JSON in the last line."""
    arguments = [sys.executable, "-m", module, *given]
    return subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _print(rows: Sequence[Row], kernels: Mapping[str, float]) -> None:
    print(f"{'':30}{'with imports':>24}{'without imports':>24}{'peak':>10}")
    print(f"{'':30}{'clock s':>12}{'CPU s':>12}{'clock s':>12}{'CPU s':>12}{'MB':>10}")
    for row in rows:
        whole, net = row.whole, row.net
        print(f"{row.name:30}{whole.wall:12.2f}{whole.cpu:12.2f}{net.wall:12.2f}{net.cpu:12.2f}{whole.peak_mb:10.0f}")
    for name, seconds in kernels.items():
        print(f"{'answers only, ' + name:30}{'':36}{seconds:12.2f}")


def main() -> None:
    """Run the benchmark and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=Size.events)
    parser.add_argument("--subjects", type=int, default=Size.subjects)
    parser.add_argument("--seed", type=int, default=Size.seed)
    parser.add_argument("--every", type=int, default=20, help="the plain pipeline takes one subject in so many")
    parser.add_argument("--folder", type=Path, help="keep the world and the tables here")
    parser.add_argument("--save", type=Path, default=LATEST)
    asked = parser.parse_args()
    size = Size(asked.events, asked.subjects, asked.seed)
    if asked.folder is not None:
        asked.folder.mkdir(parents=True)
        results = bench(asked.folder.resolve(), size, asked.every)
    else:
        with tempfile.TemporaryDirectory() as folder:
            results = bench(Path(folder), size, asked.every)
    asked.save.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps({name: value for name, value in results.items() if isinstance(value, float | int)}, indent=2))


if __name__ == "__main__":
    main()
