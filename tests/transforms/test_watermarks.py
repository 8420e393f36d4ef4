"""How far each partition has told, and the T that all that are not idle have reached."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cut import Closing, Heard
from schemas.kinds import KINDS
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.watermarks import SLACK, advanced, reached, told_until

PARTITIONS = [("web", "a"), ("web", "b"), ("app", "a")]


def facts(kind: str, *dated: tuple[int, int | None]) -> pa.RecordBatch:
    """Facts of a kind: the instant that dates each, and its receipt."""
    columns = zip(*dated, strict=True) if dated else ([], [])
    instants = [pa.array(column, pa.timestamp("us", "UTC")) for column in columns]
    return pa.record_batch(instants, names=[KINDS[kind].at, "received_at"])


def account(source: str, file: str, until_at: int) -> pa.RecordBatch:
    return pa.record_batch({"source": [source], "file": [file], "until_at": [until_at]})


def closing(**more: Any) -> Closing:
    return Closing(**{"last_at": 0, "at": None, "until_at": FOREVER, "known_before": FOREVER, **more})


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_are_no_facts_nothing_is_told(kind: str) -> None:
    assert told_until(facts(kind), kind) == BEGINNING


def test_an_event_tells_of_its_own_instant_and_the_latest_tells_for_all() -> None:
    assert told_until(facts("events", (5, 90), (7, 80), (6, 70)), "events") == 7


def test_an_event_that_is_dated_ahead_tells_only_of_when_it_was_received() -> None:
    assert told_until(facts("events", (50, 9), (7, 80)), "events") == 9


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "events"])
def test_any_other_fact_tells_of_when_it_was_received_whatever_it_is_about(kind: str) -> None:
    assert told_until(facts(kind, (5, 90), (700, 80)), kind) == 90


def test_a_watermark_is_as_far_as_what_was_read_now_or_before() -> None:
    before = {"web": {"a": 5, "b": 9}}
    accounts = [account("web", "a", 7), account("web", "a", 6), account("web", "b", 8), account("app", "a", 3)]
    assert advanced(before, accounts, PARTITIONS) == {"web": {"a": 7, "b": 9}, "app": {"a": 3}}


def test_an_idle_partition_has_no_watermark() -> None:
    assert advanced({"web": {"a": 5}}, [account("web", "b", 8)], [("web", "b")]) == {"web": {"b": 8}}
    assert advanced({"web": {"a": 5}}, [account("web", "b", 8)], []) == {}


def test_an_active_partition_that_told_nothing_yet_is_at_the_beginning() -> None:
    assert advanced({}, [], [("web", "a")]) == {"web": {"a": BEGINNING}}


def test_partitions_of_one_name_in_two_sources_are_two() -> None:
    accounts = [account("web", "a", 7), account("app", "a", 3)]
    assert advanced({}, accounts, [("web", "a"), ("app", "a")]) == {"web": {"a": 7}, "app": {"a": 3}}


_TOLD = st.tuples(st.sampled_from(PARTITIONS), st.integers(0, 99))


@given(st.lists(_TOLD, max_size=8), st.integers(0, 8))
def test_in_which_cuts_it_was_read_changes_no_watermark(told: list[tuple[tuple[str, str], int]], cut: int) -> None:
    accounts = [account(*partition, at) for partition, at in told]
    first = advanced({}, accounts[:cut], PARTITIONS)
    assert advanced(first, accounts[cut:], PARTITIONS) == advanced({}, accounts[::-1], PARTITIONS)


@given(st.lists(_TOLD, max_size=8), st.sets(st.sampled_from(PARTITIONS)), st.lists(st.integers(0, 99), min_size=1, max_size=3))
def test_t_lies_before_every_partition_that_is_not_idle_and_every_clock_and_never_goes_back(
    told: list[tuple[tuple[str, str], int]], active: set[tuple[str, str]], clocks: list[int]
) -> None:
    watermarks = advanced({}, [account(*partition, at * SLACK) for partition, at in told], active)
    at = reached(closing(last_at=20 * SLACK), [Heard(clock * SLACK) for clock in clocks], watermarks)
    ends = [*(one for files in watermarks.values() for one in files.values()), *(clock * SLACK for clock in clocks)]
    assert at == max(20 * SLACK, min(ends) - SLACK)


def test_a_t_that_is_fixed_stands_whatever_is_heard() -> None:
    assert reached(closing(at=7, last_at=9, until_at=5), [Heard(0)], {"web": {"a": 3}}) == 7


def test_no_t_lies_after_where_the_project_ends_unless_one_was_published() -> None:
    assert reached(closing(until_at=5), [Heard(90 * SLACK)], {}) == 5
    assert reached(closing(until_at=5, last_at=6), [Heard(90 * SLACK)], {}) == 6


def test_events_out_of_order_by_no_more_than_the_slack_lie_after_t() -> None:
    dated = np.array([30, 31]) * SLACK
    until_at = told_until(facts("events", *((int(at), FOREVER >> 8) for at in dated)), "events")
    assert reached(closing(), [Heard(99 * SLACK)], {"web": {"a": until_at}}) == dated[0]
