"""The kernel's DuckDB: it sees Arrow tables and nothing else."""

from functools import lru_cache

import duckdb

_SETTINGS = """
SET GLOBAL TimeZone = 'UTC';
SET GLOBAL disabled_optimizers = 'in_clause';
SET GLOBAL lock_configuration = true;
"""
# GLOBAL, for cursors inherit nothing else. A long IN list would become a join, which does not keep the order of rows,
# and what is selected here is read beside the rows it was selected from.


def connect() -> duckdb.DuckDBPyConnection:
    """A connection that reads no file, loads no extension and can not be told otherwise. Close it after use."""
    return _instance().cursor()


@lru_cache(maxsize=1)
def _instance() -> duckdb.DuckDBPyConnection:
    """One database a process: opening one costs as much as a thousand small statements."""
    con = duckdb.connect(
        config={
            "threads": 1,
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "preserve_insertion_order": True,
            "temp_directory": "",  # people's data are not written where nobody looks for them
        }
    )
    con.execute(_SETTINGS)
    return con
