"""Records written alike are read as one by one, and what is not alike is left to others."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.algebra.engine import connect
from transforms.json_engine import read_each
from transforms.layouts import alike, layout_of

PATHS = ["a", "b", "n.a", "n.o.b", "missing", "a.below"]
BARE = [
    "1",
    "1.50",
    "-0",
    "12",
    "1e2",
    "1e999",
    "007",
    "1.",
    ".5",
    "-",
    "+1",
    "NaN",
    "nul",
    "nulll",
    "True",
    "true",
    "false",
    "null",
    "[1]",
    "{}",
    "}",
    "1,2",
]
TEXTS = ['""', '"x"', '"a,b:{}[]"', '"é"', '"a\\"b"', '"\\\\"', '"a\tb"', '"a"b"', '"', '"x', ""]
SCALARS = st.sampled_from([*BARE, "9" * 70, *TEXTS])


@st.composite
def shapes(draw: st.DrawFn) -> str:
    """A record with places for four values."""
    space, after, end = draw(st.sampled_from([("", "", ""), (" ", "", " "), ("", " ", "\r"), (" ", "  ", "")]))
    parts = ['"a":%s', '"zz":%s', '"n":{"a":%s,"o":{"b":%s}}']
    ordered = draw(st.permutations(parts))
    return "{" + f",{after}".join(part.replace(":", f":{space}") for part in ordered) + "}" + end + "\n"


@settings(deadline=None)
@given(st.lists(shapes(), min_size=1, max_size=3), st.data())
def test_what_is_read_by_layout_is_what_the_engine_reads(ways: list[str], data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.tuples(st.sampled_from(ways), SCALARS, SCALARS, SCALARS, SCALARS), max_size=40))
    records = pa.array([way % tuple(values) for way, *values in drawn], pa.string())
    con = connect()
    each = read_each(records, dict.fromkeys(PATHS, "text"), con)
    con.close()
    found, rest = alike(records, np.arange(len(records)), PATHS)
    rows = np.concatenate([one.rows for one in found] + [rest])
    assert sorted(rows.tolist()) == list(range(len(records)))
    place = np.cumsum(each.good) - 1
    for one in found:
        assert each.good[one.rows].all()
        for index, column in enumerate(one.columns):
            assert column.to_pylist() == each.table[index].take(pa.array(place[one.rows])).to_pylist()


@pytest.mark.parametrize("count", [1, 2, 1_000])
def test_records_of_one_layout_are_all_read_by_it(count: int) -> None:
    rows = [json.dumps({"a": "x" * (number % 7), "b": None if number % 3 else number / 4}) for number in range(count)]
    (one,), rest = alike(pa.array(rows), np.arange(count), PATHS)
    assert not len(rest)
    assert one.columns[1].to_pylist() == [None if number % 3 else str(number / 4) for number in range(count)]


@pytest.mark.parametrize(
    "record",
    ['{"a":[1]}', '{"a":"\\n"}', "{}", '{"a":{}}', '{"a":1,"a":2}', "[1]", "1", '{"a":1', '{"a":1,}', '{"a":NaN}'],
)
def test_what_is_no_plain_object_is_no_layout(record: str) -> None:
    assert layout_of(record.encode()) is None
