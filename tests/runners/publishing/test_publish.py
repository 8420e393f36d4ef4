"""Publishing: everything of a run or nothing, and once."""

import dataclasses
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from runners.publishing.placing import layered
from runners.publishing.publish import publish
from runners.runs.run_plan import SegmentVersion
from runners.warehouses.lake import Lake
from runners.warehouses.published import last_run
from runners.warehouses.read import state_paths
from runners.warehouses.tables import TABLES
from schemas.errors import AuditFailed, CallError, TryAgain
from tests.support.staged_runs import at, correction, enter, event, first_run, plan_of, stage, stage_state
from transforms.stage import AWAKE


def test_a_run_fills_every_table_and_all_rows_say_which_run_wrote_them(lake: Lake) -> None:
    published = publish(lake, first_run(lake))
    assert published.status == "published"
    assert published.rows["events"] == 2
    for table in TABLES:
        if "run_id" in table.schema.names:
            assert lake.rows(f"SELECT DISTINCT run_id FROM {table.name}") in ([(published.run_id,)], [])


def test_the_same_run_twice_changes_nothing(lake: Lake) -> None:
    plan = first_run(lake)
    first = publish(lake, plan)
    before = _counts(lake)
    second = publish(lake, plan)
    assert (second.status, second.run_id, second.known_at) == ("already", first.run_id, first.known_at)
    assert _counts(lake) == before


def test_nothing_read_and_nothing_due_publishes_nothing(lake: Lake) -> None:
    first = publish(lake, first_run(lake))
    last = last_run(lake)
    assert last is not None
    plan = plan_of(lake, 30, positions_after=last.positions)
    published = publish(lake, plan)
    assert (published.status, published.run_id) == ("unchanged", first.run_id)


def test_a_plan_made_before_another_run_was_published_is_tried_again(lake: Lake) -> None:
    stale = first_run(lake)
    publish(lake, first_run(lake, definitions="d2"))
    with pytest.raises(TryAgain):
        publish(lake, stale)


def test_a_failed_audit_publishes_nothing_and_says_which_rows_and_why(lake: Lake) -> None:
    plan = first_run(lake)
    stage(plan, "fates", [{"read": 5, "used": 4}])
    with pytest.raises(
        AuditFailed, match=r"fates: every record has one: 1 row\(s\) \(fates/0000.parquet row 0\): read"
    ):
        publish(lake, plan)
    assert set(_counts(lake).values()) == {0}


def test_a_better_twin_replaces_the_stored_one(lake: Lake) -> None:
    publish(lake, first_run(lake))
    plan = plan_of(lake, 20)
    stage(plan, "events", [event("ann", "1", 1, received=0.5, replaces=True, amount="8.00")])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    publish(lake, plan)
    assert lake.rows("SELECT amount FROM events WHERE subject = 'ann'") == [(Decimal("8.00"),)]


def test_a_correction_closes_and_inserts_and_nothing_is_overwritten(lake: Lake) -> None:
    publish(lake, first_run(lake))
    publish(lake, correction(lake))
    rows = lake.rows(
        "SELECT epoch_us(\"at\"), member, known_to IS NULL FROM segment_transitions WHERE subject = 'ann' "
        'ORDER BY known_from, "at"'
    )
    assert rows == [(at(1), True, False), (at(1), True, True), (at(3), False, True)]


def test_what_was_emitted_before_a_withdrawal_was_known_is_exposed(lake: Lake) -> None:
    first = publish(lake, first_run(lake))
    second = publish(lake, correction(lake))
    rows = lake.rows(
        "SELECT subject, epoch_us(emitted_at), epoch_us(wrong_since_at), epoch_us(learned_at) FROM exposures"
    )
    assert rows == [("ann", first.known_at, at(3), second.known_at)]
    assert lake.rows("SELECT change_id FROM exposures") == lake.rows(
        "SELECT change_id FROM segment_changes WHERE kind = 'corrected'"
    )


def test_a_version_that_is_no_longer_defined_is_closed_with_its_corrections(lake: Lake) -> None:
    publish(lake, first_run(lake))
    publish(lake, plan_of(lake, 20, definitions="d2", versions={}))
    assert lake.value("SELECT count(*) FROM segment_transitions WHERE known_to IS NULL") == 0
    rows = lake.rows(
        "SELECT subject, epoch_us(effective_at), epoch_us(until_at), member, reason FROM segment_changes "
        "WHERE kind = 'corrected' ORDER BY subject"
    )
    assert rows == [("ann", at(1), at(20), False, "definition"), ("bob", at(2), at(5), False, "definition")]
    assert lake.rows("SELECT current FROM segment_versions") == [(False,)]
    assert lake.rows("FROM segment_upcoming") == []


def test_a_history_staged_as_a_whole_changes_only_what_differs(lake: Lake) -> None:
    first = publish(lake, first_run(lake))
    plan = plan_of(lake, 20, definitions="d2", anew=True)
    enter(plan, [("ann", 1, True), ("bob", 2, True), ("bob", 6, False), ("ann", 15, False)])
    publish(lake, plan)
    kept = "SELECT subject FROM segment_transitions WHERE run_id = $1 AND known_to IS NULL"
    assert lake.rows(kept, [first.run_id]) == [("ann",)]
    told = (
        "SELECT subject, kind, epoch_us(effective_at), epoch_us(until_at), member FROM segment_changes "
        "WHERE run_id <> $1 ORDER BY subject"
    )
    assert lake.rows(told, [first.run_id]) == [
        ("ann", "exited", at(15), None, False),
        ("bob", "corrected", at(5), at(6), True),
    ]


def test_a_whole_history_equal_to_the_record_writes_no_transition(lake: Lake) -> None:
    publish(lake, first_run(lake))
    plan = plan_of(lake, 20, definitions="d2", anew=True)
    enter(plan, [("ann", 1, True), ("bob", 2, True), ("bob", 5, False)])
    assert publish(lake, plan).rows["segment_transitions"] == 0


def test_a_full_refresh_replaces_facts_and_keeps_the_trace_of_the_record(lake: Lake) -> None:
    publish(lake, first_run(lake))
    plan = first_run(lake, t_at=at(4), full_refresh=True, anew=True, positions_before={})
    enter(plan, [("ann", 1, True), ("bob", 2, True)])
    publish(lake, plan)
    assert lake.value("SELECT count(*) FROM events") == 2
    current = 'SELECT subject, epoch_us("at") FROM segment_transitions WHERE known_to IS NULL ORDER BY 2'
    assert lake.rows(current) == [("ann", at(1)), ("bob", at(2))]
    assert lake.value("SELECT count(*) FROM segment_transitions WHERE known_to IS NOT NULL") == 2


def test_a_later_run_at_the_same_t_leaves_one_feature_row(lake: Lake) -> None:
    publish(lake, first_run(lake))
    plan = plan_of(lake, 10, positions_after={"orders": {"a.ndjson": 2}})
    stage(plan, "feature_rows", [{"subject": "ann", "purchases__spend_7d": "10.00"}])
    stage(plan, "events", [event("ann", "3", 1)])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    publish(lake, plan)
    rows = lake.rows("SELECT purchases__spend_7d FROM feature_rows WHERE subject = 'ann'")
    assert rows == [(Decimal("10.00"),)]


def test_of_states_made_anew_the_feature_rows_that_differ_are_written(lake: Lake) -> None:
    """A row of nulls tells that a purpose has closed, or that a subject is not known any more."""
    before = plan_of(lake, 10)
    given = {"ann": "9.50", "bob": "1.00", "cy": "2.00", "eve": "3.00"}
    stage(before, "feature_rows", [{"subject": who, "purchases__spend_7d": spent} for who, spent in given.items()])
    stage(before, "fates", [{"read": 0}])
    publish(lake, before)
    plan = plan_of(lake, 20, definitions="d2", anew=True)
    now = {"ann": "9.50", "bob": "1.50", "cy": None, "dan": None}
    stage(plan, "feature_rows", [{"subject": who, "purchases__spend_7d": spent, "unsure": True} for who, spent in now.items()])
    publish(lake, plan)
    written = "SELECT subject, purchases__spend_7d FROM feature_rows WHERE epoch_us(as_of) = "
    assert lake.rows(f"{written}{at(20)} ORDER BY 1") == [("bob", Decimal("1.50")), ("cy", None), ("eve", None)]


def test_states_lie_under_their_run_and_untouched_shards_keep_theirs(lake: Lake) -> None:
    first = publish(lake, first_run(lake))
    second = publish(lake, correction(lake))
    (later,), (before,) = (map(Path, map(lake.states.place, state_paths(lake)[shard])) for shard in range(2))
    assert later.read_bytes() == b"later"
    assert (later.parent.name, before.parent.name) == (second.run_id, first.run_id)
    assert lake.rows("SELECT DISTINCT positions FROM kernel_state") == [('{"orders":{"a.ndjson":20000}}',)]


def test_who_is_awake_lies_over_who_rests_until_all_lie_down_and_a_stream_knows_it_without_a_look(lake: Lake) -> None:
    publish(lake, first_run(lake))
    known = state_paths(lake)
    for number, ending, told in ((1, AWAKE, [b"state", b"1"]), (2, AWAKE, [b"state", b"2"]), (3, ".arrow", [b"3"])):
        plan = plan_of(lake, 20 + number)
        stage(plan, "fates", [{"read": 0}])
        enter(plan, [("cy", 20 + number, number % 2 == 1)])
        stage_state(plan, 0, str(number).encode(), ending)
        publish(lake, plan)
        known = layered(known, lake.states.placed(plan.run_id))
        assert [Path(lake.states.place(path)).read_bytes() for path in state_paths(lake)[0]] == told
        assert known == state_paths(lake)
        assert len(known[1]) == 1
        assert lake.value("SELECT count(*) = count(DISTINCT (shard, run_id)) FROM kernel_state")
    assert lake.value("SELECT count(DISTINCT positions) FROM kernel_state") == 1


def test_new_columns_are_added_and_decimals_widened(lake: Lake) -> None:
    publish(lake, first_run(lake))
    columns = {"amount": pa.decimal128(14, 2), "brand": pa.string()}
    plan = plan_of(lake, 20, fact_columns={"events": columns}, versions={"vip": SegmentVersion(1, "m1")})
    stage(plan, "events", [event("cy", "9", 12, brand="acme", amount="123456789012.50")])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    publish(lake, plan)
    assert lake.rows("SELECT brand, CAST(amount AS VARCHAR) FROM events ORDER BY subject") == [
        (None, "9.50"),
        (None, "9.50"),
        ("acme", "123456789012.50"),
    ]


def test_a_column_whose_type_has_changed_is_refused_by_name(lake: Lake) -> None:
    publish(lake, first_run(lake))
    plan = dataclasses.replace(plan_of(lake, 20), fact_columns={"events": {"amount": pa.string()}})
    stage(plan, "fates", [{"read": 0}])
    with pytest.raises(CallError, match="column `amount` of `events`"):
        publish(lake, plan)


def test_staging_is_gone_after_publishing(lake: Lake) -> None:
    plan = first_run(lake)
    publish(lake, plan)
    assert not plan.staging.exists()


def _counts(lake: Lake) -> dict[str, int]:
    return {table.name: lake.value(f"SELECT count(*) FROM {table.name}") for table in TABLES}
