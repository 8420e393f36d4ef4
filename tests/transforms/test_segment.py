"""A shard that is advanced: what it stages, and what it asks for where its state has forgotten what news is about."""

from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from schemas.kinds import KINDS
from tests.support.merged import FREE, event, instant, world
from tests.support.worlds import arrived, read_world
from transforms.algebra.advance import advance
from transforms.algebra.order import BEGINNING
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import empty_state, write_state
from transforms.coder import ShardedBatch, sharded
from transforms.known import KIND, KNOWN, STATE, told
from transforms.segment import LEAVING, STORED, Segment
from transforms.spill import take_up
from transforms.stage import ASKED, DONE, RECEIVED, Stage, staged_tables

DAYS = 24
HOURS = range(0, 10 * DAYS, 6)
SOURCES = {"web": {"kind": "events", "properties": {"n": "int"}}}
WEEK = {"did": {"event": "buy", "window": "7d"}}


class Shard:
    """A shard that has heard of Ann for ten days and then of nobody for ninety: what it is given, and what it stages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        project = read_world(folder / "project", world(when=WEEK, sources=SOURCES, purposes=[FREE]))
        self.program = Program(project, dict.fromkeys(project.segments, 1))
        self.before, self.now = instant(100 * DAYS), instant(101 * DAYS)
        self.path = folder / "before.arrow"

    def forget(self) -> None:
        facts = arrived(self.program.project, [event(hours, "ann") for hours in HOURS])
        state, _ = advance(self.program, empty_state(self.program), facts, Moment(BEGINNING, self.before))
        assert not state.is_whole
        with pa.OSFile(str(self.path), "wb") as file:
            write_state(state, {}, file)

    def facts(self, *hours: float, before: bytes = b"", who: str = "ann") -> list[pa.RecordBatch]:
        tables = arrived(self.program.project, [event(one, who) for one in hours])
        return [
            batch.replace_schema_metadata({KIND: before + name.encode()})
            for name in KINDS
            for batch in tables[name].to_batches()
            if batch.num_rows
        ]

    def advance(self, *batches: pa.RecordBatch, last_at: int | None = None) -> Stage:
        staged = self.folder / f"staged {len(list(self.folder.glob('staged *')))}"
        staged.mkdir()
        stage = Stage(staged, staged_tables(self.program))
        moment = Moment(self.before if last_at is None else last_at, self.now)
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            known = [] if any(batch.schema.metadata[KIND] == KNOWN for batch in batches) else [told(moment)]
            given: list[ShardedBatch] = [(3, batch) for batch in (*batches, *known)]
            _ = pipeline | beam.Create(given, reshuffle=False) | sharded() | Segment(self.program, stage)
        return stage

    def state(self) -> pa.RecordBatch:
        return named(STATE, path=[str(self.path)])


def named(kind: bytes, **columns: list[str]) -> pa.RecordBatch:
    return pa.record_batch(columns).replace_schema_metadata({KIND: kind})


def left(stage: Stage) -> set[str]:
    """The folders in which anything lies."""
    return {path.name for path in stage.folder.iterdir()}


def transitions(stage: Stage) -> list[tuple[float, bool]]:
    rows = pq.read_table(stage.folder / "transitions" / "0003.parquet").sort_by("at")
    hours = [(int(at.timestamp() * 1_000_000) - instant(0)) / 3_600_000_000 for at in rows["at"].to_pylist()]
    return list(zip(hours, rows["member"].to_pylist(), strict=True))


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    made = Shard(tmp_path)
    made.forget()
    return made


def test_a_shard_whose_state_has_forgotten_nothing_keeps_nothing_of_what_it_received(shard: Shard) -> None:
    assert not {ASKED, RECEIVED} & left(shard.advance(*shard.facts(*HOURS), last_at=BEGINNING))


def test_a_shard_that_has_forgotten_keeps_what_it_received_beside_what_it_makes(shard: Shard) -> None:
    given = [shard.state(), *shard.facts(100.5 * DAYS)]
    stage = shard.advance(*given)
    assert {"state", "events", RECEIVED} <= left(stage)
    assert ASKED not in left(stage)
    kept = [*take_up(stage.folder / RECEIVED / "0003.arrow")]
    assert sorted(one.schema.metadata[KIND] for one in kept) == [b"events", KNOWN, STATE]
    assert all(any(one.equals(other, check_metadata=True) for one in kept) for other in given)


def test_news_about_what_is_forgotten_is_asked_about_and_nothing_else_is_staged(shard: Shard) -> None:
    stage = shard.advance(shard.state(), *shard.facts(20 * DAYS), *shard.facts(100.5 * DAYS, who="bob"))
    assert left(stage) == {ASKED, RECEIVED, DONE}
    assert [one["subject"].to_pylist() for one in take_up(stage.folder / ASKED / "0003.arrow")] == [["ann"]]


def test_with_all_facts_of_whom_it_asks_for_it_says_what_one_that_never_forgot_says(shard: Shard) -> None:
    asks = shard.advance(shard.state(), *shard.facts(20 * DAYS))
    received = [*take_up(asks.folder / RECEIVED / "0003.arrow")]
    stage = shard.advance(*received, named(LEAVING, subject=["ann"]), *shard.facts(*HOURS, before=STORED))
    assert ASKED not in left(stage)
    assert transitions(stage) == [(20 * DAYS, True), (27 * DAYS, False)]
    assert pq.read_table(stage.folder / "events").num_rows == 1
