"""What the engine says of rows, in the order of the rows: it promises none where nothing is sorted."""

import duckdb
import numpy as np
import pyarrow as pa

PLACE = "_place"  # no name of a definition begins so; raw columns, which may, are numbered before


def in_order(con: duckdb.DuckDBPyConnection, rows: pa.Table, sql: str) -> pa.Table:
    """The answer of a SELECT over the table `rows`, one row each, in their order.

    The SELECT must pass on the column PLACE, which it finds in `rows` and which is not in the answer. Raises ValueError
    where rows are missing or come twice.
    """
    count = len(rows)
    con.register("rows", rows.append_column(PLACE, pa.array(np.arange(count))))
    try:
        found = con.execute(sql).to_arrow_table()
    finally:
        con.unregister("rows")
    place = found[PLACE].to_numpy()
    if not np.array_equal(place, np.arange(count)):
        if not np.array_equal(np.sort(place), np.arange(count)):
            raise ValueError("the engine did not answer once for each row")
        found = found.take(pa.array(np.argsort(place)))
    return found.drop_columns(PLACE)
