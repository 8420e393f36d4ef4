"""The kernel's DuckDB: it sees Arrow tables and nothing else."""

import duckdb


def connect() -> duckdb.DuckDBPyConnection:
    """A connection that reads no file, loads no extension and can not be told otherwise."""
    con = duckdb.connect(
        config={
            "threads": 1,
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "preserve_insertion_order": True,
        }
    )
    con.execute("SET TimeZone = 'UTC'; SET lock_configuration = true")
    return con
