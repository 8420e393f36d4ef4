"""How fast a stream is, and whether it stays so: events a second, seconds from arrival to published, memory, files.

    python -m benchmarks.live [--segments 1,10,50] [--subjects 100000,1000000] [--every 2] [--minutes 10] [--save FILE]

Each number of segments over each number of subjects is a stream of its own, `segue stream` on Prism over a file that grows, after
a year of history. A burst tells how many events a second it takes; then a steady feed, how long an event takes from its arrival
until it is published: in the warehouse, and in the answers, which wait for T to pass it. Then one stream is fed for minutes, and
what it holds is told minute by minute; and the CPU time of an event is told once more after ten times the history.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from benchmarks.segments import drawn
from benchmarks.world import HERE, Size, write_now, write_world
from runners.warehouses.ducklake import is_there, open_lake
from runners.warehouses.lake import Lake

ROOT = Path(__file__).resolve().parents[1]
FIGURES = Path(__file__).resolve().parent / "live.json"
NOT_COPIED = ("data", "later", "warehouse", "target", "segments")
TICK_S, LOOK_S = 0.25, 0.1
WARM_S = 8.0
"""So long it is fed before anything is measured: what a burst has left is gone then."""
PATIENCE_S = 900.0
FIRST = 100_000_000
"""Numbers of the events that are told live begin here."""

_IS_MADE = "SELECT count(*) = 2 FROM duckdb_tables() WHERE table_name IN ('events', 'run_commits') AND database_name = 'lake'"
_PUBLISHED = f"""
SELECT count(*), max(epoch_us(committed_at)) / 1e6 FROM events JOIN run_commits USING (run_id) WHERE event_id >= 'e{FIRST:09}'
"""

# An event is published when the commit that holds it is there, and one whose T has passed it.
LATENCY = """
WITH commits AS (
  SELECT m.run_id, m.t, epoch_us(c.committed_at) AS done FROM run_manifest m JOIN run_commits c USING (run_id)
), told AS (
  SELECT epoch_us(e.received_at) AS got, a.done AS stored, greatest(a.done, b.done) AS done
  FROM events e JOIN commits a USING (run_id) ASOF JOIN commits b ON e.occurred_at <= b.t
  WHERE epoch_us(e.received_at) >= {since}
)
SELECT count(*), quantile_cont((stored - got) / 1e6, [0.5, 0.99]) || quantile_cont((done - got) / 1e6, [0.5, 0.99]) FROM told
"""


@dataclass
class Feed:
    """Appends events to a file while it is entered: so many a second, of the instant at which they are written."""

    path: Path
    subjects: int
    rate: int
    written: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def append(self, count: int) -> None:
        """Write so many at once."""
        part = self.path.parents[2] / "part.ndjson"
        write_now(part, count, self.subjects, FIRST + self.written, time.time_ns() // 1_000)
        with self.path.open("ab") as file:
            file.write(part.read_bytes())
        self.written += count

    def _go_on(self) -> None:
        due = time.monotonic()
        while not self.over.is_set():
            self.append(int(self.rate * TICK_S))
            due += TICK_S
            self.over.wait(max(0.0, due - time.monotonic()))

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Append in the meantime."""
        self.over.clear()
        thread = threading.Thread(target=self._go_on)
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            thread.join()


@dataclass
class Streaming:
    """A stream that runs: what it has published, and what it takes."""

    project: Path
    process: "subprocess.Popen[bytes]"
    every_s: float

    @cached_property
    def lake(self) -> Lake:
        """The warehouse, which is there, for reading."""
        return open_lake(self.project / "warehouse")

    def until(self, events: int) -> float:
        """Wait until so many events of those told live are published, and give when the last of them was, in seconds UTC."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if is_there(self.project / "warehouse") and self.lake.value(_IS_MADE):
                count, done = self.lake.rows(_PUBLISHED)[0]
                if count >= events:
                    return float(done)
            time.sleep(LOOK_S)
        raise RuntimeError(f"the stream did not publish: {(self.project / 'said.txt').read_text()[-2000:]}")

    def latency(self, since: float) -> dict[str, float]:
        """Seconds from arrival to published of the events that came since then: as rows, and in the answers."""
        count, found = self.lake.rows(LATENCY.format(since=int(since * 1e6)))[0]
        names = ("rows_p50_s", "rows_p99_s", "p50_s", "p99_s")
        return {"events": count, **{name: round(one, 3) for name, one in zip(names, found, strict=True)}}

    def held(self) -> dict[str, float]:
        """What it holds now: memory of its processes, what it remembers of its subjects, files, snapshots, CPU seconds so far."""
        rss_kb, ticks = 0, 0
        for pid in tree(self.process.pid):
            status = Path(f"/proc/{pid}/status").read_text()
            rss_kb += int(status.split("VmRSS:")[1].split()[0]) if "VmRSS:" in status else 0
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        files = sum(len(names) for *_, names in os.walk(self.project / "warehouse"))  # which passes over what goes meanwhile
        snapshots = self.lake.value("SELECT count(*) FROM ducklake_snapshots('lake')")
        state_mb = round(self.lake.value("SELECT sum(bytes) FROM kernel_state") / 1e6)
        cpu = ticks / os.sysconf("SC_CLK_TCK")
        held = {"rss_mb": round(rss_kb / 1024), "state_mb": state_mb, "files": files, "snapshots": snapshots}
        return {**held, "cpu_s": round(cpu, 2)}


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


@contextmanager
def streaming(folder: Path, segments: int, subjects: int, history: int, every_s: float) -> Iterator[tuple[Streaming, Feed]]:
    """A stream that has caught up with a year of history, and what feeds it."""
    project = folder / f"{segments}-{subjects}-{history}"
    shutil.copytree(HERE, project, ignore=shutil.ignore_patterns(*NOT_COPIED))
    settings = yaml.safe_load((project / "segue.yaml").read_text())
    settings.pop("as_of")
    (project / "segue.yaml").write_text(yaml.safe_dump(settings))
    (project / "segments").mkdir()
    for one in drawn(segments):
        (project / "segments" / f"{one['segment']}.yaml").write_text(yaml.safe_dump(one))
    write_world(project, Size(history, subjects), time.time_ns() // 1_000)
    feed = Feed(project / "data" / "events" / "live.ndjson", subjects, 0)
    command = [sys.executable, "-m", "runners.main", "--project-dir", str(project), "stream", "--every", str(every_s)]
    with (project / "said.txt").open("wb") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        stream = Streaming(project, process, every_s)
        try:
            feed.append(1)
            stream.until(1)
            feed.append(1_000)  # the first cut makes ready what later ones find
            stream.until(1_001)
            yield stream, feed
        finally:
            process.terminate()
            process.wait(120)
            if "lake" in vars(stream):  # a stream that failed at once has made none
                stream.lake.close()
    shutil.rmtree(project)


def quickly(stream: Streaming, feed: Feed, burst: int) -> float:
    """Events a second: of a burst, until the last of it is published."""
    began = time.time()
    feed.append(burst)
    return round(burst / (stream.until(feed.written) - began))


def steadily(stream: Streaming, feed: Feed, rate: int, seconds: float) -> dict[str, float]:
    """Seconds from arrival to published while so many come a second, and what an event costs."""
    feed.rate = rate
    with feed.flowing():
        time.sleep(WARM_S)
        before, began, written = stream.held(), time.time(), feed.written
        time.sleep(seconds)
    stream.until(feed.written)
    time.sleep(2 * stream.every_s + 1)  # T passes the last of them a second after it
    after = stream.held()
    cost = (after["cpu_s"] - before["cpu_s"]) / (feed.written - written) * 1e6
    return {**stream.latency(began), "rate": rate, "cpu_us_per_event": round(cost), **after}


def bench(folder: Path, said: argparse.Namespace) -> dict[str, Any]:
    """Measure everything below `folder`, print it, and give what goes to the file."""
    rows = []
    for subjects in said.subjects:
        for segments in said.segments:
            with streaming(folder, segments, subjects, 2 * subjects, said.every) as (stream, feed):
                speed = quickly(stream, feed, said.burst)
                row = {"segments": segments, "subjects": subjects, "events_per_s": speed}
                rows.append(row | steadily(stream, feed, said.rate, said.seconds))
            _print(rows[-1])
    lasting = list[dict[str, Any]]()
    with streaming(folder, 10, said.subjects[0], 2 * said.subjects[0], said.every) as (stream, feed):
        for minute in range(said.minutes):
            lasting.append({"minute": minute + 1, **steadily(stream, feed, said.rate, 60.0)})
            _print(lasting[-1])
    with streaming(folder, 10, said.subjects[0], 20 * said.subjects[0], said.every) as (stream, feed):
        longer = {"history": 20 * said.subjects[0], **steadily(stream, feed, said.rate, said.seconds)}
        _print(longer)
    same = next(row for row in rows if (row["segments"], row["subjects"]) == (10, said.subjects[0]))
    return {
        "every_s": said.every,
        "by_size": rows,
        "by_minute": lasting,
        "ten_times_the_history": longer,
        "history_cost_ratio": round(longer["cpu_us_per_event"] / same["cpu_us_per_event"], 2),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


def _print(row: dict[str, Any]) -> None:
    print("  ".join(f"{name} {value:,}" for name, value in row.items()), flush=True)


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=_numbers, default=[1, 10, 50])
    parser.add_argument("--subjects", type=_numbers, default=[100_000, 1_000_000])
    parser.add_argument("--burst", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=2_000, help="events a second of the steady feed")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two commits: those of `segue stream` itself")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--save", type=Path, default=FIGURES)
    said = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        figures = bench(Path(folder), said)
    said.save.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
