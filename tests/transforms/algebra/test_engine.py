"""The kernel's DuckDB keeps the order of rows, whatever a condition is made of: the projection is read beside its events."""

from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from schemas.definitions.expression import Expression
from schemas.definitions.reference import EventReference
from transforms.algebra.columns import predicate_name
from transforms.algebra.engine import connect
from transforms.algebra.project import Projection


def test_a_long_in_list_keeps_the_order_of_rows() -> None:
    sizes = (4_000, 2_048 + 63, 4_000)  # DuckDB holds back pieces of fewer than 64 rows of a join
    starts = np.cumsum((0, *sizes))
    numbers = pa.chunked_array([pa.array(np.arange(a, b)) for a, b in pairwise(starts)])
    letters = pa.chunked_array([pa.array(["a"] * size) for size in sizes])
    con = connect()
    con.register("events", pa.table({"n": numbers, "c": letters}))
    found = con.execute("SELECT n, c IN ('a', 'b', 'c', 'd', 'e', 'f') AS p FROM events").to_arrow_table()
    assert found["n"].to_pylist() == list(range(sum(sizes)))
    con.close()


def test_sessions_are_in_utc_wherever_the_machine_is() -> None:
    assert connect().execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_a_projection_stays_beside_its_events_even_where_the_engine_reorders_them() -> None:
    sizes = (4_000, 2_048 + 63, 4_000)
    count = sum(sizes)
    names = [str(number % 9) for number in range(count)]
    starts = np.cumsum((0, *sizes))
    chunks = pa.chunked_array([pa.array(names[a:b]) for a, b in pairwise(starts)])
    events = pa.table({"event": chunks, "n": pa.array(range(count))})
    some, odd = EventReference(tuple("012345")), EventReference(tuple("012345"), Expression.parse("n >= 5000"))
    careless = duckdb.connect(config={"threads": 1})
    found = Projection((some, odd), ("n",))(careless, events)
    assert found["v_n"].to_pylist() == list(range(count))
    assert found[predicate_name(some)].to_pylist() == [name in "012345" for name in names]
    assert found[predicate_name(odd)].to_pylist() == [name in "012345" and n >= 5000 for n, name in enumerate(names)]


def test_the_list_of_a_select_that_is_shown_gives_what_the_kernel_reads() -> None:
    events = pa.table({"event": ["a", "b", "a"], "n": [1, 2, 3]})
    shown = Projection((EventReference(("a",)), EventReference(None, Expression.parse("n > 2"))), ("n",))
    con = connect()
    con.register("events", events)
    assert con.execute(f"SELECT {shown.select_list} FROM events").to_arrow_table().to_pylist() == shown(con, events).to_pylist()
    con.close()


def test_nothing_of_what_it_computes_goes_to_disk() -> None:
    con = connect()
    assert con.execute("SELECT current_setting('temp_directory')").fetchall() == [("",)]
    con.close()
