"""Shards that ask for facts are advanced again with them, until none asks."""

import dataclasses
from collections.abc import Sequence

import pyarrow as pa
import pytest

from runners.publishing.publish import publish
from runners.publishing.staging import staged_schemas
from runners.runs.linking import Linked
from runners.runs.remaking import Remaking
from runners.warehouses.lake import Lake
from schemas.definitions.datatype import DataType
from schemas.definitions.project import Project, Target
from tests.support.consent_rows import project as bare_project
from tests.support.consent_rows import source
from tests.support.staged_runs import event, first_run, plan_of
from tests.support.staged_runs import stage as staged
from transforms.coder import ShardedBatch
from transforms.shard import shards_of
from transforms.stage import Stage
from transforms.together import NOBODY, together

FIELDS = {"subject": "user", "event": "name", "occurred_at": "at"}
SHARDS = 8
PROJECT: Project = dataclasses.replace(
    bare_project(),
    target=Target("dev", "ducklake:lake", "local", SHARDS),
    sources={
        "orders": source("orders", "events", fields={**FIELDS, "event_id": "id"}),
        "clicks": source("clicks", "events", fields=FIELDS),
    },
    event_columns={"amount": DataType.parse("decimal(12,2)")},
)
APART = Linked(NOBODY, NOBODY)
RECEIVED = pa.record_batch({"n": [1, 2]}).replace_schema_metadata({b"kind": b"events"})


@pytest.fixture
def stage(lake: Lake) -> Stage:
    """After a run that was told of Ann and Bob, the stage of the next one."""
    publish(lake, first_run(lake))
    plan = plan_of(lake, 20)
    return Stage(plan.staging, staged_schemas(plan))


def shard_of(subject: str, both: Linked = APART) -> int:
    (shard,) = shards_of(pa.array([subject]), SHARDS, both.after).tolist()
    return int(shard)


class Passes(list[list[ShardedBatch]]):
    """What shards were advanced by, pass by pass; those of `for_ever` ask again each time."""

    def __init__(self, stage: Stage, for_ever: Sequence[str] = ()) -> None:
        super().__init__()
        self.stage, self.for_ever = stage, for_ever

    def advance(self, received: Sequence[ShardedBatch]) -> None:
        self.append([*received])
        for subject in self.for_ever:
            self.stage.ask(shard_of(subject), pa.array([subject]))

    def of(self, kind: bytes) -> list[pa.RecordBatch]:
        return [batch for one in self for _, batch in one if batch.schema.metadata[b"kind"] == kind]


def until_whole(lake: Lake, passes: Passes, both: Linked = APART) -> int:
    return Remaking(lake, PROJECT, passes.stage.folder, both, both.moved(SHARDS), passes.advance).until_whole()


def test_where_nobody_asks_nothing_is_advanced_again(lake: Lake, stage: Stage) -> None:
    stage.keep(shard_of("ann"), [RECEIVED])
    passes = Passes(stage)
    assert (until_whole(lake, passes), passes) == (0, [])


def test_a_shard_that_asks_is_given_what_it_had_received_and_all_facts_of_whom_it_asks_for(lake: Lake, stage: Stage) -> None:
    stage.keep(shard_of("ann"), [RECEIVED])
    stage.ask(shard_of("ann"), pa.array(["ann"]))
    passes = Passes(stage)
    assert until_whole(lake, passes) == 1
    assert {shard for shard, _ in passes[0]} == {shard_of("ann")}
    assert passes.of(b"events") == [RECEIVED]
    (leaving,), (events,) = passes.of(b"leaving"), passes.of(b"stored_events")
    assert leaving["subject"].to_pylist() == events["subject"].to_pylist() == ["ann"]


def test_who_is_linked_with_one_that_is_asked_for_is_made_anew_with_it(lake: Lake, stage: Stage) -> None:
    both = Linked(*[together(pa.table({"subject": ["ann"], "to_id": ["bob"]}))] * 2)
    stage.keep(shard_of("ann", both), [RECEIVED])
    stage.ask(shard_of("ann", both), pa.array(["ann"]))
    passes = Passes(stage)
    assert until_whole(lake, passes, both) == 2
    (leaving,), (events,) = passes.of(b"leaving"), passes.of(b"stored_events")
    assert sorted(leaving["subject"].to_pylist()) == sorted(events["subject"].to_pylist()) == ["ann", "bob"]


def test_who_moves_because_of_a_link_is_not_sent_twice(lake: Lake, stage: Stage) -> None:
    ids = next(("ann", f"u{n}") for n in range(99) if shard_of(f"u{n}") != shard_of("ann"))
    both = Linked(NOBODY, together(pa.table({"subject": ids[:1], "to_id": ids[1:]})))
    stage.keep(shard_of(ids[1]), [RECEIVED])
    stage.ask(shard_of(ids[1]), pa.array([ids[1]]))
    passes = Passes(stage)
    assert until_whole(lake, passes, both) == 1
    assert [batch["subject"].to_pylist() for batch in passes.of(b"leaving")] == [[ids[1]]]


def arrive(stage: Stage, lake: Lake, *events: dict[str, object], keeps: bool = True) -> None:
    """Stage new events of Ann's shard, whose state may have forgotten others."""
    staged(dataclasses.replace(plan_of(lake, 20), staging=stage.folder), "events", events, shard_of("ann"))
    if keeps:
        stage.keep(shard_of("ann"), [RECEIVED])


class Repeats(Passes):
    """What is made of all facts takes no event for new that was there."""

    def advance(self, received: Sequence[ShardedBatch]) -> None:
        super().advance(received)
        for path in (self.stage.folder / "events").iterdir():
            path.unlink()


def test_whose_new_event_the_warehouse_holds_already_is_made_anew(lake: Lake, stage: Stage) -> None:
    arrive(stage, lake, event("ann", "1", 15), event("cy", "9", 15))
    passes = Repeats(stage)
    assert until_whole(lake, passes) == 1
    assert [batch["subject"].to_pylist() for batch in passes.of(b"leaving")] == [["ann"]]


@pytest.mark.parametrize(
    "other", [{"event_id": "2"}, {"subject": "cy"}, {"source": "clicks"}, {"replaces": True}, {"keeps": False}]
)
def test_an_event_is_no_other_one_told_again(lake: Lake, stage: Stage, other: dict[str, object]) -> None:
    keeps = bool(other.pop("keeps", True))
    arrive(stage, lake, {**event("ann", "1", 15), **other}, keeps=keeps)
    assert until_whole(lake, Passes(stage)) == 0


def test_records_without_ids_of_their_own_are_never_told_again(lake: Lake, stage: Stage) -> None:
    arrive(stage, lake, event("ann", "1", 15, source="clicks"))
    lake.commit(lambda: lake.run("UPDATE events SET source = 'clicks'"))
    assert until_whole(lake, Passes(stage)) == 0


def test_shards_that_are_never_content_are_a_fault_of_ours(lake: Lake, stage: Stage) -> None:
    stage.keep(shard_of("ann"), [RECEIVED])
    stage.ask(shard_of("ann"), pa.array(["ann"]))
    passes = Passes(stage, for_ever=["ann"])
    with pytest.raises(RuntimeError, match="1 subjects are asked for of whom all is there"):
        until_whole(lake, passes)
    assert [len(one) for one in passes] == [3]


def test_facts_of_many_go_by_file(lake: Lake, stage: Stage) -> None:
    plan = plan_of(lake, 30)
    staged(plan, "events", [event("ann", f"many {n}", 1) for n in range(1_000)], shard_of("ann"))
    staged(plan, "fates", [{"read": 1_000, "used": 1_000}])
    publish(lake, plan)
    stage.keep(shard_of("ann"), [RECEIVED])
    stage.ask(shard_of("ann"), pa.array(["ann"]))
    passes = Passes(stage)
    until_whole(lake, passes)
    (events,) = passes.of(b"stored_events")
    assert events.schema.names == ["path"]
