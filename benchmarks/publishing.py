"""How long publishing takes: so many changed rows into tables that hold two million each, on each warehouse.

    python -m benchmarks.publishing [--rows N] [--changed N ...] [--emulated N] [--folder DIR]

prints a table, then JSON. Changed is a row in each of five tables: so many subjects have a new event, other features and
another next transition; nine in ten leave a segment, and of each tenth a published entry is closed and told anew. Beside it
stands what DuckDB takes in the same process for the same rows from the same files: INSERT into tables of its own, which
hold as many, with a checkpoint, and COPY to Parquet. Neither looks for a key, audits, or replaces anything. The ratios are
of CPU seconds, which depend least on what else the machine does.

The first line of a warehouse fills its tables. The last lines of DuckLake are the smallest change again, into tables of a
hundredth of the rows: what is more than that grows with the tables. BigQuery is asked where SEGUE_EMULATORS names an
environment of emulators, over fewer rows: what an emulator on this machine takes says little of BigQuery.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks.staged import TABLES, Told, staged
from runners.publishing.publish import publish
from runners.runs.run_plan import RunPlan
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake, listed, quoted
from runners.warehouses.preparing import prepare

ROWS, CHANGED, EMULATED = 2_000_000, (10_000, 100_000, 1_000_000), 200_000
_FIRST_DAY = 10


@dataclass(frozen=True)
class Seconds:
    """What a piece of work took: on the clock, and of this process's CPU time."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Figure:
    """What one publication took, and DuckDB for the same rows.

    Attributes:
      rows: how many each table held before; `changed`: how many of each were.
      written: rows that were written, into all tables.
      audit: seconds on the clock before anything is written.
    """

    warehouse: str
    rows: int
    changed: int
    written: int
    publish: Seconds
    audit: float
    insert: Seconds
    copy: Seconds


class Plain:
    """DuckDB, and its own tables of the same rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.con = duckdb.connect(str(folder / "plain.duckdb"))
        self.con.execute("SET TimeZone = 'UTC'")

    def write(self, plan: RunPlan) -> tuple[Seconds, Seconds]:
        """What INSERT takes, and COPY."""
        files = {table: f"read_parquet({listed((plan.staging / table).glob('*.parquet'))})" for table in TABLES}
        for table, rows in files.items():
            self.con.execute(f"CREATE TABLE IF NOT EXISTS {table} AS FROM {rows} LIMIT 0")
        inserts = "; ".join(f"INSERT INTO {table} FROM {rows}" for table, rows in files.items())
        copies = (f"COPY (FROM {rows}) TO {quoted(str(self.folder / table))} (FORMAT parquet)" for table, rows in files.items())
        both = f"BEGIN; {inserts}; COMMIT; CHECKPOINT", "; ".join(copies)
        insert, copy = (_taken(lambda said=said: self.con.execute(said)) for said in both)  # type: ignore[misc]
        return insert, copy


def _taken(work: Callable[[], object]) -> Seconds:
    started, used = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - started, time.process_time() - used)


def measured(name: str, lake: Lake, plain: Plain, rows: int, changed: Sequence[int]) -> Iterator[Figure]:
    """The filling of a warehouse, and one change after the other; none tells of a subject that another has told of."""
    prepare(lake)
    yield _figure(name, lake, plain, Told(_FIRST_DAY, 0, rows, rows), 0)
    first = 0
    for day, count in enumerate(changed, _FIRST_DAY + 2):
        yield _figure(name, lake, plain, Told(day, first, count, rows), rows)
        first += count


def _figure(name: str, lake: Lake, plain: Plain, told: Told, held: int) -> Figure:
    plan = staged(lake, told)
    insert, copy = plain.write(plan)
    begun: dict[str, float] = {}
    written: dict[str, int] = {}
    started = time.perf_counter()

    def published() -> None:
        written.update(publish(lake, plan, lambda stage, rows, share: begun.update({stage: time.perf_counter()})).rows)

    taken = _taken(published)
    return Figure(name, held, told.count, sum(written.values()), taken, begun["publish"] - started, insert, copy)


def bench(folder: Path, rows: int, changed: Sequence[int], emulated: int) -> Iterator[Figure]:
    """All figures, one after the other."""
    with open_lake(folder / "lake", write=True) as lake:
        yield from measured("DuckLake", lake, Plain(folder / "plain"), rows, changed)
    few = max(rows // 100, 2 * min(changed))
    with open_lake(folder / "few", write=True) as lake:
        yield from measured("DuckLake, few rows", lake, Plain(folder / "plain_few"), few, [min(changed)])
    if "SEGUE_EMULATORS" in os.environ:
        with _emulated(folder) as lake:
            some = [count for count in changed if count <= emulated // 2]
            yield from measured("emulator of BigQuery", lake, Plain(folder / "plain_emulated"), emulated, some)


@contextmanager
def _emulated(folder: Path) -> Iterator[Lake]:
    from runners.warehouses.bigquery.opening import open_bigquery
    from tests.support.emulated import PROJECT, bigquery

    with ExitStack() as stack:
        emulator = bigquery(Path(os.environ["SEGUE_EMULATORS"]), folder)
        stack.callback(emulator.stop)
        os.environ.update(emulator.environment)
        yield stack.enter_context(open_bigquery(f"{PROJECT}.bench", folder / "work", str(folder / "states"), write=True))


HEAD = (
    f"{'':22}{'rows held':>11}{'changed':>11}{'publish s':>11}{'audit s':>9}{'CPU s':>8}{'rows a CPU s':>14}"
    f"{'x INSERT':>10}{'x COPY':>8}"
)


def told(one: Figure) -> str:
    """One line of the table."""
    wall, cpu = one.publish.wall, one.publish.cpu
    figures = f"{wall:11.2f}{one.audit:9.2f}{cpu:8.2f}{one.written / cpu:14,.0f}"
    return f"{one.warehouse:22}{one.rows:11,}{one.changed:11,}{figures}{cpu / one.insert.cpu:10.1f}{cpu / one.copy.cpu:8.1f}"


def main() -> None:
    """Print the table, and the same as JSON in the last line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--changed", type=int, nargs="+", default=CHANGED)
    parser.add_argument("--emulated", type=int, default=EMULATED, help="how many rows an emulator's tables hold")
    parser.add_argument("--folder", type=Path, help="where the warehouses lie while they are measured")
    asked = parser.parse_args()
    print(HEAD)
    figures = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        for one in bench(Path(folder), asked.rows, asked.changed, asked.emulated):
            print(told(one), flush=True)
            figures.append(asdict(one))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
