"""The public views, after a run and a correction: who is a member, who was, and what was said when."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.publishing.publish import publish
from runners.runs.run_plan import SegmentVersion
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from runners.warehouses.query import lock, query
from tests.support.staged_runs import at, correction, enter, event, first_run, plan_of, stage

BOTH = {"vip": SegmentVersion(1, "m1"), "new": SegmentVersion(1, "m2")}


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Ann a member from day 1, at T = 10; at T = 20 it is known that she was none from day 3 on."""
    with open_lake(tmp_path_factory.mktemp("corrected") / "warehouse", write=True) as lake:
        prepare(lake)
        publish(lake, first_run(lake))
        publish(lake, correction(lake))
        yield lake


@pytest.fixture(scope="module")
def two_segments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """At T = 10 Ann and Bob are `vip`, Ann is also `new`; Cy left on day 4."""
    with open_lake(tmp_path_factory.mktemp("two") / "warehouse", write=True) as lake:
        prepare(lake)
        plan = plan_of(lake, 10, versions=BOTH)
        stage(plan, "events", [event(name, "1", 1) for name in ("ann", "bob", "cy")])
        stage(plan, "fates", [{"read": 3, "used": 3}])
        enter(plan, [("ann", 1, True), ("bob", 2, True), ("cy", 1, True), ("cy", 4, False)])
        enter(plan, [("ann", 3, True)], segment="new", shard=1)
        key = {"segment": "vip", "version": 1, "subject": "ann"}
        stage(plan, "upcoming", [{**key, "next_transition_at": at(40)}])
        publish(lake, plan)
        yield lake


def test_history_shows_what_is_believed_and_what_was(corrected: Lake) -> None:
    history = "SELECT epoch_us(valid_from), epoch_us(valid_to), known_to IS NULL FROM segment_history "
    assert corrected.rows(history + "WHERE subject = 'ann' ORDER BY known_from") == [
        (at(1), None, False),
        (at(1), at(3), True),
    ]


def test_an_interval_open_at_t_has_no_end_and_its_member_is_in_the_membership(two_segments: Lake) -> None:
    members = (
        "SELECT segment, subject, epoch_us(since), epoch_us(next_transition_at) FROM segment_membership ORDER BY ALL"
    )
    assert two_segments.rows(members) == [
        ("new", "ann", at(3), None),
        ("vip", "ann", at(1), at(40)),
        ("vip", "bob", at(2), None),
    ]


def test_a_member_taken_back_is_no_member(corrected: Lake) -> None:
    assert corrected.rows("FROM segment_membership") == []
    assert corrected.rows("FROM segment_members_now") == []


def test_sizes_fill_every_day_up_to_t(two_segments: Lake) -> None:
    sizes = "SELECT members, entered, exited FROM segment_sizes WHERE segment = 'vip' ORDER BY day"
    rows = two_segments.rows(sizes)
    assert len(rows) == 10
    assert rows[:4] == [(2, 2, 0), (3, 1, 0), (3, 0, 0), (2, 0, 1)]
    assert set(rows[4:]) == {(2, 0, 0)}


def test_overlap_counts_the_members_of_two_segments(two_segments: Lake) -> None:
    assert two_segments.rows("FROM segment_overlap ORDER BY segment") == [
        ("new", "vip", 1, 1, 2),
        ("vip", "new", 1, 2, 1),
    ]


@pytest.mark.parametrize(
    ("day", "known", "members"), [(5, 2, ["ann"]), (5, 19, []), (2, 19, ["ann", "bob"]), (5, 1, [])]
)
def test_as_of_reads_what_was_published_at_k_about_t(
    corrected: Lake, day: float, known: float, members: list[str]
) -> None:
    with open_lake(corrected.root) as reader:
        lock(reader)
        instants = f"make_timestamptz({at(day)}::BIGINT), make_timestamptz({at(known)}::BIGINT)"
        found = query(reader, f"SELECT subject FROM as_of({instants}) ORDER BY 1").read_all()
    assert found["subject"].to_pylist() == members


def test_the_changes_folded_give_the_history(corrected: Lake) -> None:
    """Ann: entered at 1, then corrected to no member on [3, 10); Bob: entered at 2, exited at 5."""
    changes = "SELECT subject, kind, epoch_us(effective_at), epoch_us(until_at), member FROM segment_changes "
    assert corrected.rows(changes + "ORDER BY known_at, effective_at") == [
        ("ann", "entered", at(1), None, True),
        ("bob", "entered", at(2), None, True),
        ("bob", "exited", at(5), None, False),
        ("ann", "corrected", at(3), at(10), False),
    ]


def test_the_warehouse_may_be_moved(corrected: Lake, tmp_path: Path) -> None:
    shutil.copytree(corrected.root, tmp_path / "elsewhere")
    with open_lake(tmp_path / "elsewhere") as moved:
        assert moved.value("SELECT count(*) FROM segment_changes") == 4
