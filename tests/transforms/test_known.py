"""T and K: known when all is read, the same for every shard (2.4)."""

from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from schemas.cut import Closing, Heard
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment
from transforms.coder import ShardedBatch
from transforms.ingest import ACCOUNT
from transforms.known import KIND, KNOWN, STATE, Know, Reading, closed, known_at, moment_of, read_until, told
from transforms.receipts import Receipts
from transforms.watermarks import SLACK

T = 1_000


def account(*pairs: tuple[int, int], source: str = "web", file: str = "a", until_at: int = BEGINNING) -> pa.RecordBatch:
    """An account of records with these dates and receipts."""
    dated_at, received_at = ([pair[place] for pair in pairs] for place in (0, 1))
    said: dict[str, Any] = dict.fromkeys(ACCOUNT.names)
    said |= {"source": source, "file": file, "until_at": until_at, "dated_at": dated_at, "received_at": received_at}
    return pa.RecordBatch.from_pylist([said], schema=ACCOUNT)


def closing(**more: Any) -> Closing:
    return Closing(**{"last_at": 0, "at": T, "until_at": FOREVER, "known_before": FOREVER, **more})


def moment(said: Closing, *accounts: pa.RecordBatch, heard: Heard | None = None) -> Moment:
    return Reading.of([closed(said, heard or Heard(T)), *accounts]).moment


def test_k_is_the_largest_receipt_of_what_is_read_now_and_was_read_before(tmp_path: Path) -> None:
    assert moment(closing(), account((5, 40), (6, 30)), account((7, 20))).known_at == 40
    Receipts.of(*pa_pairs((1, 50))).write(tmp_path / "kept")
    assert moment(closing(known_before=20, kept=str(tmp_path / "kept")), account((5, 40))).known_at == 50
    assert read_until(closing(known_before=60), 50) == 60


def test_a_run_at_the_last_runs_k_publishes_one_microsecond_later() -> None:
    assert moment(closing(known_before=40), account((5, 40))).known_at == 41
    assert known_at(closing(known_before=40, fixed_at=40), T, 40) == 41


def test_before_the_first_fact_k_is_t() -> None:
    assert moment(closing()).known_at == T


def test_a_k_that_is_fixed_stands_whatever_was_received() -> None:
    assert moment(closing(fixed_at=30), account((5, 40))).known_at == 30
    assert read_until(closing(fixed_at=30), 40) == 40


def test_facts_dated_after_t_do_not_raise_k() -> None:
    assert moment(closing(), account((T, 7), (T + 1, 9))).known_at == 7
    assert moment(closing(at=T - 1), account((T, 7), (T + 1, 9))).known_at == T - 1


def test_t_is_as_far_as_the_slowest_partition_that_is_not_idle() -> None:
    said = closing(at=None, last_at=3, watermarks={"web": {"a": 20 * SLACK, "gone": 4 * SLACK}})
    heard = Heard(100 * SLACK, (("web", "a"), ("web", "b")))
    assert moment(said, account(file="b", until_at=30 * SLACK), heard=heard).at == 19 * SLACK
    assert moment(said, account(file="b", until_at=10 * SLACK), heard=heard).at == 9 * SLACK


def test_t_is_the_slowest_readers_clock_where_all_are_idle_and_no_partition_is_ahead_of_it() -> None:
    assert moment(closing(at=None), heard=Heard(100 * SLACK)).at == 99 * SLACK
    ahead = account(until_at=200 * SLACK)
    assert moment(closing(at=None), ahead, heard=Heard(100 * SLACK, (("web", "a"),))).at == 99 * SLACK
    both = [closed(closing(at=None), Heard(clock * SLACK)) for clock in (100, 50)]
    assert Reading.of(both).moment.at == 49 * SLACK


def test_t_never_goes_back_nor_beyond_where_the_project_fixes_it() -> None:
    assert moment(closing(at=None, last_at=150 * SLACK), heard=Heard(100 * SLACK)).at == 150 * SLACK
    assert moment(closing(at=None, until_at=70 * SLACK), heard=Heard(100 * SLACK)).at == 70 * SLACK


def test_a_partition_that_wakes_and_has_told_nothing_holds_t_where_it_is() -> None:
    assert moment(closing(at=None, last_at=3), heard=Heard(100 * SLACK, (("web", "new"),))).at == 3


def test_feature_rows_are_written_by_the_first_cut_of_a_day() -> None:
    assert not moment(closing(at=None, day_ends_at=100 * SLACK), heard=Heard(100 * SLACK)).writes_features
    assert moment(closing(at=None, day_ends_at=100 * SLACK), heard=Heard(101 * SLACK)).writes_features


def test_every_shard_is_told_t_and_k_once_also_where_nothing_is_read_and_where_its_state_lies() -> None:
    def told_of_some(given: list[ShardedBatch]) -> None:
        known = [(shard, moment_of(batch)) for shard, batch in given if batch.schema.metadata[KIND] == KNOWN]
        states = [(shard, batch["path"].to_pylist()) for shard, batch in given if batch.schema.metadata[KIND] == STATE]
        assert sorted(known) == [(shard, Moment(0, T, FOREVER, 8)) for shard in range(3)]
        assert states == [(1, ["below", "above"])]

    def told_of_nothing(given: list[ShardedBatch]) -> None:
        assert [moment_of(batch) for _, batch in given] == [Moment(0, T, FOREVER, T)] * 3

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        some = [closed(closing(states={1: ["below", "above"]}), Heard(T)), account((3, 3), (4, 8)), account((5, 5))]
        assert_that(pipeline | "Some" >> beam.Create(some) | "KnowSome" >> Know(3), told_of_some, "some")
        none = pipeline | "None" >> beam.Create([closed(closing(), Heard(T))])
        assert_that(none | "KnowNone" >> Know(3), told_of_nothing, "none")


def test_of_a_cut_that_was_given_up_no_shard_hears() -> None:
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        assert_that(pipeline | beam.Create([account((3, 3))]) | Know(3), lambda given: _see(given == []))


def _see(holds: bool) -> None:
    assert holds


def test_a_moment_is_read_as_it_was_told() -> None:
    one = Moment(1, 2, 3, 4, everyone=True, writes_features=False)
    assert moment_of(told(one)) == one


def pa_pairs(*pairs: tuple[int, int]) -> tuple[Any, Any]:
    return tuple(pa.array([pair[place] for pair in pairs], pa.int64()).to_numpy() for place in (0, 1))  # type: ignore[return-value]
