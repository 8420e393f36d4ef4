"""What no path reads is counted key by key, whether records are written alike or are read one by one."""

import numpy as np
import pyarrow as pa
import pytest

from transforms.algebra.engine import connect
from transforms.columns import Columns
from transforms.json_engine import read_each
from transforms.layouts import alike

PATHS = ["a", "n.b"]


def engine(records: list[str], paths: list[str]) -> Columns:
    con = connect()
    try:
        return read_each(pa.array(records, pa.string()), dict.fromkeys(paths, "text"), con)
    finally:
        con.close()


@pytest.mark.parametrize(
    ("record", "count"),
    [
        ('{"a":1}', 0),
        ('{"a":1,"n":{"b":2}}', 0),
        ('{"a":1,"n":{"b":2,"c":3}}', 0),  # what lies beside a path in its object is none of its own
        ('{"x":1,"A":2}', 2),
        ('{"a.b":1}', 1),
        ('{"x":{"a":1,"y":{"z":2}}}', 1),
        ('{"x":null}', 1),
    ],
)
def test_keys_that_begin_no_path_are_counted_the_same_in_both_ways(record: str, count: int) -> None:
    assert engine([record] * 3, PATHS).undeclared == 3 * count
    (one,), rest = alike(pa.array([record] * 3), np.arange(3), PATHS)
    assert (one.undeclared, len(rest)) == (3 * count, 0)


def test_keys_of_records_that_can_not_be_read_are_not_counted() -> None:
    found = engine(['{"x":1,"x":2}', '{"y":1', "[1]", '{"z":[1]}'], PATHS)
    assert (found.undeclared, found.others) == (1, frozenset({"z"}))


def test_where_no_path_is_asked_for_every_key_is_one_too_many() -> None:
    found = engine(['{"x":1,"y":[2]}', "{}"], [])
    assert (found.undeclared, found.others, len(found.table)) == (2, frozenset({"x", "y"}), 2)


def test_names_within_an_object_are_told_only_where_a_path_of_it_is_missing() -> None:
    record = '{"n":{"c":1,"it\'s":[2]}}'
    assert engine([record], PATHS).others == frozenset({"n.c", "n.it's"})
    assert engine([record, '{"n":{"b":1}}'], PATHS).others == frozenset()
