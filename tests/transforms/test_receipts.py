"""What decides K while T is not known yet."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import event
from tests.support.consent_rows import consents, profiles
from transforms.algebra.engine import connect
from transforms.algebra.order import BEGINNING
from transforms.receipts import NONE, Receipts, receipts

T = 1_000
PAIRS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)))


def of(pairs: list[tuple[int, int]]) -> Receipts:
    return Receipts.of(*(np.array([pair[place] for pair in pairs], np.int64) for place in (0, 1)))


def largest(pairs: list[tuple[int, int]], at: int) -> int:
    return max((received_at for dated_at, received_at in pairs if dated_at <= at), default=BEGINNING)


@given(PAIRS, st.integers(-1, 21))
def test_they_know_the_largest_receipt_up_to_any_date(pairs: list[tuple[int, int]], at: int) -> None:
    assert of(pairs).until(at) == largest(pairs, at)


@given(PAIRS, PAIRS, st.integers(-1, 21))
def test_those_of_two_are_those_of_all(one: list[tuple[int, int]], other: list[tuple[int, int]], at: int) -> None:
    assert Receipts.of_all([of(one), of(other)]).until(at) == largest([*one, *other], at)


@given(PAIRS, st.integers(-1, 21), st.integers(0, 21))
def test_what_stays_from_an_instant_on_decides_every_later_k(pairs: list[tuple[int, int]], since: int, later: int) -> None:
    kept = of(pairs).since(since)
    assert kept.until(since + later) == largest(pairs, since + later)
    assert len(kept.dated_at) <= 1 + len({at for at, _ in pairs if at > since})


def test_they_are_read_as_they_were_written(tmp_path: Path) -> None:
    of([(1, 5), (2, 7)]).write(tmp_path / "kept")
    found = Receipts.read(tmp_path / "kept")
    assert (found.dated_at.tolist(), found.received_at.tolist()) == ([1, 2], [5, 7])
    assert NONE.until(10**15) == BEGINNING


def batch(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


@pytest.mark.parametrize("is_t", [True, False])
def test_facts_are_dated_by_what_they_change_first(is_t: bool) -> None:
    con = connect()
    dated = [{"occurred_at": T, "received_at": 7}, {"occurred_at": T + 1, "received_at": 9}]
    facts = pa.RecordBatch.from_pylist(dated, schema=event.SCHEMA)
    assert receipts(con, facts, "events", T, is_t).until(T) == 7
    people = profiles([{"valid_from": T, "received_at": 5}, {"valid_from": T + 1, "received_at": 9}])
    assert receipts(con, batch(people), "profiles", T, is_t).until(T) == 5
    row = {"claimed_at": T, "effective_at": T + 5, "received_at": T + 5}
    assert receipts(con, batch(consents([row | {"payload_kind": "snapshot"}])), "consents", T, is_t).until(T) == T + 5
    assert receipts(con, batch(consents([row | {"payload_kind": "row"}])), "consents", T, is_t).until(T) == BEGINNING
    con.close()


def test_where_t_is_not_known_those_of_later_facts_are_there_too() -> None:
    con = connect()
    dated = [{"occurred_at": at, "received_at": at + 1} for at in (T - 9, T, T + 5)]
    facts = pa.RecordBatch.from_pylist(dated, schema=event.SCHEMA)
    assert [receipts(con, facts, "events", T, is_t).until(T + 5) for is_t in (True, False)] == [T + 1, T + 6]
    assert receipts(con, facts, "events", T, False).dated_at.tolist() == [T, T + 5]
    con.close()
