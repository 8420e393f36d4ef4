"""All that a warehouse holds, row by row, but for what the clock has said."""

from collections.abc import Set
from pathlib import Path
from typing import Any

from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.tables import TABLES

CLOCK = {"committed_at"}

Tables = dict[str, list[tuple[Any, ...]]]


def tables_of(root: Path, clock: Set[str] = CLOCK) -> Tables:
    """The rows of every table of the warehouse in a folder, as text, in one order, but for the columns of the clock."""
    with open_lake(root) as lake, lake.snapshot():
        return {table.name: _rows(lake, table.name, clock & {*table.schema.names}) for table in TABLES}


def _rows(lake: Lake, table: str, but: Set[str]) -> list[tuple[Any, ...]]:
    left = f" EXCLUDE ({', '.join(sorted(but))})" if but else ""
    return lake.rows(f"SELECT CAST(COLUMNS(*{left}) AS VARCHAR) FROM {table} ORDER BY ALL")
