"""K: the largest receipt among the facts dated up to T, later than the last one, and told to every shard (2.4)."""

import apache_beam as beam
import pyarrow as pa
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from schemas import event
from tests.support.consent_rows import consents, profiles
from transforms.algebra.engine import connect
from transforms.algebra.order import BEGINNING
from transforms.coder import ShardedBatch
from transforms.ingest import ACCOUNT
from transforms.known import KNOWN, Know, Knowledge, newest_of, newest_receipt

T = 1_000


def account(*newest: int) -> pa.RecordBatch:
    rows = [{field.name: one if field.name == "newest_at" else None for field in ACCOUNT} for one in newest]
    return pa.RecordBatch.from_pylist(rows, schema=ACCOUNT)


def batch(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


def test_k_is_the_largest_receipt_of_what_is_read_now_and_was_read_before() -> None:
    assert Knowledge(T).known_at(40) == 40
    assert Knowledge(T, before_at=20, newest_at=50).known_at(40) == 50
    assert Knowledge(T, before_at=60, newest_at=50).read_until(40) == 60


def test_a_run_at_the_last_runs_k_publishes_one_microsecond_later() -> None:
    assert Knowledge(T, before_at=40).known_at(40) == 41
    assert Knowledge(T, fixed_at=40, before_at=40).known_at(40) == 41


def test_before_the_first_fact_k_is_t() -> None:
    assert Knowledge(T).known_at(BEGINNING) == T


def test_a_k_that_is_fixed_stands_whatever_was_received() -> None:
    assert Knowledge(T, fixed_at=30).known_at(40) == 30
    assert Knowledge(T, fixed_at=30).read_until(40) == 40


def test_facts_dated_after_t_do_not_count() -> None:
    con = connect()
    dated = [{"occurred_at": T, "received_at": 7}, {"occurred_at": T + 1, "received_at": 9}]
    facts = pa.RecordBatch.from_pylist(dated, schema=event.SCHEMA)
    assert newest_receipt(con, facts, "events", T) == 7
    assert newest_receipt(con, facts, "events", T - 1) == BEGINNING
    people = profiles([{"valid_from": T, "received_at": 5}, {"valid_from": T + 1, "received_at": 9}])
    assert newest_receipt(con, batch(people), "profiles", T) == 5
    con.close()


def test_a_snapshot_is_dated_from_what_it_withdraws() -> None:
    con = connect()
    row = {"claimed_at": T, "effective_at": T + 5, "received_at": T + 5}
    assert newest_receipt(con, batch(consents([row | {"payload_kind": "snapshot"}])), "consents", T) == T + 5
    assert newest_receipt(con, batch(consents([row | {"payload_kind": "row"}])), "consents", T) == BEGINNING
    con.close()


def test_the_newest_of_accounts_is_the_newest_of_all() -> None:
    assert newest_of([account(3, 8), account(5), account()]) == 8
    assert newest_of([]) == BEGINNING


def test_every_shard_is_told_k_once_also_where_nothing_is_read() -> None:
    def told(given: list[ShardedBatch]) -> None:
        assert sorted(shard for shard, _ in given) == [0, 1, 2]
        assert {batch.schema.metadata[b"kind"] for _, batch in given} == {KNOWN}
        assert [batch.to_pydict() for _, batch in given] == [{"known_at": [8]}] * 3

    def told_of_nothing(given: list[ShardedBatch]) -> None:
        assert [batch.to_pydict() for _, batch in given] == [{"known_at": [T]}] * 3

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        some = pipeline | "Some" >> beam.Create([account(3, 8), account(5)])
        none = pipeline | "None" >> beam.Create([account(3)]) | "Nothing" >> beam.Filter(lambda _: False)
        assert_that(some | "KnowSome" >> Know(Knowledge(T), 3), told, "some")
        assert_that(none | "KnowNone" >> Know(Knowledge(T), 3), told_of_nothing, "none")
