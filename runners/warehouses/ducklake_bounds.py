"""Bounds of whole columns, which the catalog of a DuckLake does not keep: whoever reads by them would read too little.

Of a commit whose first file of several has no value in a column, DuckLake 1.5.5 forgets the bounds, and takes those of the
next commit for the table's. By them any reader leaves out rows that a condition holds for, and packs what it sorts into too few
bits: 0 comes out as 65536. Bounds that are unknown are not used, and those of each file, which are right, serve as before.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb

ARE_FORGOTTEN = """
SELECT count(*) = 2
FROM sqlite_query('__ducklake_metadata_lake', 'SELECT name FROM sqlite_master WHERE type = ''trigger''')
WHERE starts_with(name, 'forget_bounds_')
"""
"""Whether the catalog that is attached as `lake` forgets them."""

_FORGET = "UPDATE ducklake_table_column_stats SET min_value = NULL, max_value = NULL"
_TRIGGER = f"""
CREATE TRIGGER IF NOT EXISTS forget_bounds_{{name}} AFTER {{event}} ON ducklake_table_column_stats
WHEN NEW.min_value IS NOT NULL OR NEW.max_value IS NOT NULL
BEGIN {_FORGET} WHERE table_id = NEW.table_id AND column_id = NEW.column_id; END
"""
_EVENTS = {"inserted": "INSERT", "updated": "UPDATE OF min_value, max_value"}


def forget_bounds(catalog: Path) -> None:
    """Let the catalog forget them, and what is committed from now on, within the commit itself.

    In this process nothing may hold the catalog open: to close a file gives back the locks that others have on it.

    Errors: duckdb.IOException, as the engine would say of the same.
    """
    try:
        with closing(sqlite3.connect(catalog)) as con, con:
            con.execute(_FORGET)
            for name, event in _EVENTS.items():
                con.execute(_TRIGGER.format(name=name, event=event))
    except sqlite3.Error as error:
        raise duckdb.IOException(str(error)) from error
