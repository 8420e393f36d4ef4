"""Columns are coded for a state and come back as they were."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.algebra.coded import coded, digests, joined, plain

TEXTS = st.lists(st.none() | st.text(max_size=3), max_size=12)
CENTS = st.none() | st.decimals(-99, 99, places=2)


@given(TEXTS, TEXTS)
def test_texts_joined_are_those_of_both(one: list[str | None], other: list[str | None]) -> None:
    tables = [pa.table({"t": coded(pa.array(texts, pa.string()))}) for texts in (one, other)]
    both = plain(joined(*tables)["t"])
    assert both.equals(pa.array(one + other, pa.string()))


@given(st.lists(CENTS, max_size=12))
def test_decimals_come_back_as_they_were(values: list[Decimal | None]) -> None:
    column = pa.array(values, pa.decimal128(18, 2))
    assert plain(coded(column)).equals(column)


@pytest.mark.parametrize(("distinct", "kind"), [(127, pa.int8()), (128, pa.int16()), (40_000, pa.int32())])
def test_the_index_is_as_wide_as_the_values_need(distinct: int, kind: Any) -> None:
    column = coded(pa.array([str(number) for number in range(distinct)]))
    assert column.type.index_type == kind
    assert plain(column)[-1].as_py() == str(distinct - 1)


def test_a_digest_is_the_beginning_of_a_hash() -> None:
    hashes = pa.array([bytes(range(32)), bytes(32)], pa.binary(32)).slice(0, 2)
    assert digests(pa.chunked_array([hashes[1:], hashes]), 8).to_pylist() == [bytes(8), bytes(range(8)), bytes(8)]


def test_a_text_that_no_row_refers_to_is_forgotten() -> None:
    rows = pa.table({"said": coded(pa.array(["kept", "replaced", None]))})
    kept = rows.filter(pa.array([True, False, True]))
    found = joined(kept, pa.table({"said": coded(pa.array(["new", None]))}))
    assert plain(found["said"]).to_pylist() == ["kept", None, "new", None]
    assert found["said"].chunk(0).dictionary.to_pylist() == ["kept", "new"]
