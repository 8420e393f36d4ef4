"""What `retention` removes from a warehouse, when, and what stands."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from runners.answers.explaining import explain_subject
from runners.runs.running import open_target
from runners.warehouses.failures import CATALOG
from runners.warehouses.read import last_run
from schemas.definitions.catalog import read_project
from schemas.errors import CallError
from tests.support.histories import Fact
from tests.support.merged import FREE, Event, World, event, instant, link, world
from tests.support.oracle_model import HOUR
from tests.support.streams import streaming
from tests.support.whole_runs import Target
from tests.support.worlds import language

SOURCES: dict[str, Any] = {
    "web": {"kind": "events", "properties": {"note": "string"}},
    "ids": {"kind": "identities"},
}
KEPT = {**FREE, "max_lookback": "2d", "retention": "3d"}
NOTED = {"did": {"event": "buy", "where": "note != 'x'"}}


def told(**more: Any) -> World:
    """A segment of who has bought with a note within two days."""
    return world(purposes=[KEPT], sources=SOURCES, when=NOTED, state_reach="1d", **more)


class Kept(Target):
    """A target that is told of facts and run, at hours."""

    def at(self, hours: float, *facts: Fact) -> "Kept":
        if facts:
            self.write(facts)
        self.run(instant(hours))
        return self

    def during(self, who: str, segment: str = "it@1") -> list[tuple[float, float | None]]:
        found = self.history().get((segment, who), [])
        return [((a - instant(0)) / HOUR, None if b is None else (b - instant(0)) / HOUR) for a, b in found]

    @property
    def events(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT subject, event_id, note FROM events ORDER BY occurred_at, event_id")


def buy(hours: float, who: str = "ann", received: float | None = None, note: str = "any") -> Event:
    one = event(hours, who, note=note)
    return one if received is None else replace(one, received_at=instant(received))


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Kept]:
    yield Kept(tmp_path, told())


def test_events_older_than_every_purpose_keeps_them_go_with_a_run_but_for_the_first_of_each_subject(target: Kept) -> None:
    target.at(200, buy(0, note="sesame"), buy(1), buy(119), buy(120), buy(3, "bob"))
    marks = [("ann", "buy-0", None), ("bob", "buy-3", None)]
    assert target.events == [*marks, ("ann", "buy-120", "any")]
    assert target.at(225, buy(224, "bob")).events == [*marks, ("bob", "buy-224", "any")]


def test_late_news_changes_only_what_can_be_computed_still(target: Kept) -> None:
    # at hour 200 what was before hour 120 goes: answers can be computed from hour 168 on
    target.at(200, buy(0), buy(160, "bob")).at(201, buy(130, received=201), buy(20, received=201), buy(150, "cid", 201))
    assert target.during("ann") == [(0, 48), (168, 178)]
    assert target.during("cid") == [(168, 198)]
    assert ("ann", "buy-20", "any") in target.events
    target.at(225, buy(224)).at(226, buy(172, "bob", 226))
    assert target.during("ann") == [(0, 48), (168, 178), (224, None)]
    assert target.during("bob") == [(160, 220)]
    assert ("ann", "buy-20", "any") not in target.events


def test_a_definition_that_is_new_tells_answers_from_where_they_can_be_computed(target: Kept) -> None:
    target.at(200, buy(0), buy(130))
    target.define(told(segments=[{"segment": "all", "purpose": "free", "when": {"did": {"event": "buy"}}}]))
    target.at(201)
    assert (target.during("ann"), target.during("ann", "all@1")) == ([(0, 48), (130, 178)], [(168, 178)])


def test_a_definition_that_is_changed_leaves_the_record_of_before_as_it_is(target: Kept) -> None:
    target.at(200, buy(0), buy(130), buy(140, "bob"))
    bought = {"segment": "it", "purpose": "free", "when": {"did": {"event": "buy"}}}
    target.define(replace(told(), project={**told().project, "segments": [bought]}))
    target.at(201).at(202, buy(201, "bob"))
    assert (target.during("ann"), target.during("ann", "it@2")) == ([(0, 48), (130, 168)], [(168, 178)])
    assert (target.during("bob"), target.during("bob", "it@2")) == ([(140, 168)], [(168, 188), (201, None)])


def test_reading_all_sources_again_leaves_the_record_of_before_as_it_is(target: Kept) -> None:
    target.at(200, buy(0), buy(130))
    target.write([buy(20, received=201), buy(150, received=201)])
    target.run(instant(201), full_refresh=True)
    assert target.during("ann") == [(0, 48), (130, 198)]


def test_a_link_that_is_learned_late_moves_only_what_can_be_computed_still(target: Kept) -> None:
    target.at(200, buy(125), buy(0, "bob")).at(201, link(0, "ann", "bob", received=201))
    assert (target.during("ann"), target.during("bob")) == ([(125, 168)], [(0, 48), (168, 173)])


def test_what_is_told_about_a_time_of_which_events_are_gone_is_what_the_record_says(target: Kept) -> None:
    target.at(200, buy(0), buy(130))
    project = read_project(target.folder, language())
    with target.lake() as lake:
        with pytest.raises(CallError) as refused:
            explain_subject(lake, project, "ann", "it", instant(10), None)
        assert explain_subject(lake, project, "ann", "it", instant(170), None)["member"] is True
    assert (refused.value.code, "a member then" in refused.value.hint) == ("SEG-0923", True)


def test_nothing_goes_while_any_purpose_does_not_say_for_how_long_it_keeps_data(tmp_path: Path) -> None:
    free = {"id": "other", "basis": "legitimate_interest", "max_lookback": "2d"}
    target = Kept(tmp_path, replace(told(), project={**told().project, "purposes": [KEPT, free]}))
    assert len(target.at(200, buy(0), buy(1)).events) == 2
    with target.lake() as lake:
        last = last_run(lake)
    assert last is not None and last.gone_before_at < 0


def test_no_file_of_the_warehouse_holds_what_is_gone_after_the_next_run_and_tidying(target: Kept) -> None:
    target.at(110, buy(0, note="sesame"), buy(1, note="simsim"), buy(100)).at(200, buy(199)).at(201, buy(200, "bob"))
    with target.lake() as lake:
        root = lake.root
    with open_target(read_project(target.folder, language())) as lake:
        lake.tidy("INTERVAL 0 SECONDS")
    files = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith(CATALOG)]
    assert [path.name for path in files if any(text in path.read_bytes() for text in (b"sesame", b"simsim"))] == []
    with closing(sqlite3.connect(root / CATALOG)) as catalog:
        assert [row for row in catalog.iterdump() if "sesame" in row or "simsim" in row] == []
    stored = [row for path in root.rglob("events/**/*.parquet") for row in pq.read_table(path).to_pylist()]
    assert sorted((row["event_id"], row["note"]) for row in stored) == [("buy-0", None), ("buy-199", "any"), ("buy-200", "any")]


def test_a_stream_lets_events_go_with_its_cuts_and_leaves_what_was_published_of_before(target: Kept) -> None:
    target.write([buy(100), buy(130)])
    with streaming(target, instant(200)) as live:
        live.tell([buy(20, received=201), buy(150, received=201)])
        live.commit(instant(202))
        assert target.during("ann") == [(100, 198)]
        live.tell([buy(224)])
        live.commit(instant(225))
    assert target.during("ann") == [(100, 198), (224, None)]
    assert target.events == [("ann", "buy-20", None), ("ann", "buy-150", "any"), ("ann", "buy-224", "any")]
