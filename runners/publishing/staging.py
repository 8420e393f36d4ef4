"""What the workers of a run leave for publishing: `staging/<token>/<table>/<shard>.parquet` and state files."""

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import Lake, listed
from runners.warehouses.tables import (
    CHANGES,
    EXPOSURES,
    FACTS,
    LIFECYCLES,
    QUARANTINE,
    TRANSITIONS,
    UPCOMING,
    VERDICTS,
)
from schemas import session
from transforms.faults import reach
from transforms.stage import UNSURE

FATES = ("quarantined", "future", "late", "duplicate", "kept", "refused", "unneeded", "used")
"""Each record that is read has exactly one of these; their sum is `read`."""
BESIDE = ("late_used", "conflicts")
"""Counted beside the fates."""

_TRIES = 100
"""More than there are threads that may be making a file while its folder is renamed."""
_STAMPED = {"run_id", "change_id", "known_at", "known_from", "known_to", "as_of"}
_REPLACES = pa.field("replaces", pa.bool_())
_KEY = ("segment", "version", "subject")


@dataclass(frozen=True)
class Staged:
    """One staged table: where its files are, and the columns that they must have."""

    name: str
    schema: pa.Schema
    files: tuple[Path, ...]

    @property
    def view(self) -> str:
        """The name under which SQL reads it."""
        return f"staged_{self.name}"


@dataclass(frozen=True)
class Staging:
    """All that one run has staged."""

    folder: Path
    tables: Mapping[str, Staged]

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many rows each table has, as the files' ends say."""
        return {
            name: sum(pq.read_metadata(path).num_rows for path in table.files) for name, table in self.tables.items()
        }

    @property
    def rows(self) -> int:
        """How many rows are staged."""
        return sum(self.counts.values())

    @property
    def states(self) -> Path:
        """The folder of the state files that the workers wrote, `<shard>.arrow`."""
        return self.folder / "state"


def new_staging(lake: Lake) -> Path:
    """An empty folder for the workers of one run, named by a random token."""
    folder = lake.staging / secrets.token_hex(8)
    folder.mkdir(parents=True)
    return folder


def give_up(folder: Path) -> None:
    """Remove a staging folder, also under threads that can not be stopped and still write to it.

    It loses its name first. Workers make no folder above their own, so that nothing is made by the old name any more;
    what was being made at that moment is met by removing again.
    """
    gone = folder.with_suffix(".gone")
    if folder.exists():
        folder.rename(gone)
        reach("given_up")
    for _ in range(_TRIES):
        shutil.rmtree(gone, ignore_errors=True)
        if not gone.exists():
            break


def staging(plan: RunPlan) -> Staging:
    """The tables that lie in the plan's folder. A table without files is an empty one."""
    found = {
        name: Staged(name, schema, tuple(sorted((plan.staging / name).glob("*.parquet"))))
        for name, schema in staged_schemas(plan).items()
    }
    return Staging(plan.staging, found)


def staged_schemas(plan: RunPlan) -> dict[str, pa.Schema]:
    """Staged table -> its exact columns: those of the published table less what publishing stamps."""
    facts = {name: _with(_unstamped(table.schema), plan.fact_columns.get(name, {})) for name, table in FACTS.items()}
    transitions = _unstamped(TRANSITIONS.schema)
    return {
        **{name: schema.append(_REPLACES) for name, schema in facts.items()},
        "quarantine": _unstamped(QUARANTINE.schema),
        "transitions": transitions,
        "closings": pa.schema([transitions.field(name) for name in ("segment", "version", "subject", "at")]),
        "changes": _unstamped(CHANGES.schema),
        "exposed": pa.schema([CHANGES.schema.field(name) for name in (*_KEY, "effective_at")]).append(
            EXPOSURES.schema.field("wrong_since_at")
        ),
        "upcoming": _unstamped(UPCOMING.schema),
        "feature_rows": pa.schema([("subject", pa.string()), *plan.feature_columns.items(), UNSURE]),
        "sessions": session.STAGED,
        "visitors": session.VISITORS,
        "lifecycles": _unstamped(LIFECYCLES.schema),
        "verdicts": _unstamped(VERDICTS.schema),
        "fates": pa.schema([(name, pa.int64()) for name in ("read", *FATES, *BESIDE)]),
    }


def _unstamped(schema: pa.Schema) -> pa.Schema:
    return pa.schema([column for column in schema if column.name not in _STAMPED])


def _with(schema: pa.Schema, columns: Mapping[str, pa.DataType]) -> pa.Schema:
    """The schema with the declared columns behind it, by name."""
    return pa.schema([*schema, *(pa.field(name, columns[name]) for name in sorted(columns))])


def show(lake: Lake, staged: Staging) -> None:
    """Let SQL read each staged table as `staged_<name>`, with the place of each row as `_file` and `_row`."""
    for table in staged.tables.values():
        lake.run(f"DROP VIEW IF EXISTS temp.main.{table.view}")
        if table.files:
            rows = f"read_parquet({listed(table.files)}, filename = '_file', file_row_number = true, hive_partitioning = false)"
            lake.run(f"CREATE TEMP VIEW {table.view} AS SELECT * RENAME (file_row_number AS _row) FROM {rows}")
        else:
            places = [pa.field("_file", pa.string()), pa.field("_row", pa.int64())]
            lake.con.register(table.view, pa.schema([*table.schema, *places]).empty_table())
