"""Only the answers, without reading or writing: Segue's kernel and the SQL by hand over the same facts in memory.

    python -m benchmarks.kernels PROJECT AT        after a run: prints {"segue": CPU seconds, "sql": CPU seconds}

Both start from the facts that a run has published, so from decoded, accepted events. Segue's side also sorts and
de-duplicates them and gives every transition of all time up to T; the SQL gives the members of T. Both give the features.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.by_sql import kernel_by_sql
from runners.warehouses.ducklake import folder, open_lake
from runners.warehouses.lake import Lake
from schemas.definitions.catalog import Project, read_project
from schemas.definitions.language import Language
from transforms.algebra.absorb import Arrived
from transforms.algebra.advance import advance
from transforms.algebra.aggregates import AGGREGATES
from transforms.algebra.operators import OPERATORS
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment, Program
from transforms.algebra.project import type_of
from transforms.algebra.state import empty_state
from transforms.shard import split

Shards = dict[int, Arrived]


def main(arguments: list[str]) -> None:
    """Time both kernels over what the project's last run has published."""
    root, at = Path(arguments[0]), arguments[1]
    project = read_project(root, Language(OPERATORS, AGGREGATES, type_of))
    facts = published(project)
    shards = by_shard(facts, project.target.shards)
    con = in_memory(facts)
    instant = int(datetime.fromisoformat(at).timestamp()) * 1_000_000
    seconds = {
        "segue": cpu_seconds(lambda: kernel_by_segue(project, shards, instant)),
        "sql": cpu_seconds(lambda: kernel_by_sql(con, at)),
    }
    print(json.dumps(seconds))


def kernel_by_segue(project: Project, shards: Shards, at: int) -> dict[str, list[pa.Table]]:
    """Advance each shard from nothing to `at`, int64 microseconds. Gives the staged tables of all shards by name."""
    program = Program(project, dict.fromkeys(project.segments, 1))
    nothing = empty_state(program)
    staged: dict[str, list[pa.Table]] = {}
    for arrived in shards.values():
        _, tables = advance(program, nothing, arrived, Moment(BEGINNING, at, BEGINNING, FOREVER))
        for name, table in tables.items():
            staged.setdefault(name, []).append(table)
    return staged


def published(project: Project) -> Arrived:
    """The facts that the project's target holds."""
    with open_lake(folder(project.target.warehouse, project.root), write=False) as lake:
        return {name: _table(lake, name, schema) for name, schema in project.schemas.items()}


def _table(lake: Lake, name: str, schema: pa.Schema) -> pa.Table:
    columns = ", ".join(f'"{column}"' for column in schema.names)
    return lake.arrow(f"SELECT {columns} FROM {name}").cast(schema)


def by_shard(facts: Arrived, shards: int) -> Shards:
    """The facts of each shard, as a run hands them to the kernel."""
    parts = {name: _parts(table, shards) for name, table in facts.items()}
    return {
        shard: {name: parts[name].get(shard, table.slice(0, 0)) for name, table in facts.items()}
        for shard in range(shards)
    }


def _parts(table: pa.Table, shards: int) -> dict[int, pa.Table]:
    batches: dict[int, list[pa.RecordBatch]] = {}
    for batch in table.to_batches():
        for shard, part in split(batch, shards) if batch.num_rows else ():
            batches.setdefault(shard, []).append(part)
    return {shard: pa.Table.from_batches(parts) for shard, parts in batches.items()}


def in_memory(facts: Arrived) -> duckdb.DuckDBPyConnection:
    """The facts as tables of a database in memory."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for name, table in facts.items():
        con.register("given", table)
        con.execute(f"CREATE TABLE {'events_once' if name == 'events' else name} AS FROM given")
        con.unregister("given")
    return con


def cpu_seconds(work: Callable[[], object]) -> float:
    """What the work costs in user and system time of all threads."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main(sys.argv[1:])
