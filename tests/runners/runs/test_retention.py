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
from runners.backfills.backfilling import backfill
from runners.backfills.intervals import Period
from runners.main import call
from runners.runs.outlook import Options
from runners.runs.running import open_target
from runners.warehouses.failures import CATALOG
from runners.warehouses.published import last_run
from schemas.definitions.catalog import read_project
from schemas.definitions.instant import write_instant
from schemas.definitions.selection import select
from schemas.errors import CallError
from tests.support.begun import die, live, retry
from tests.support.histories import Fact
from tests.support.merged import FREE, Consent, Event, World, event, instant, link, row, world
from tests.support.oracle_model import HOUR
from tests.support.planned import planned, segue
from tests.support.streams import streaming
from tests.support.whole_runs import Target
from tests.support.worlds import language

SOURCES: dict[str, Any] = {
    "web": {"kind": "events", "properties": {"note": "string"}},
    "ids": {"kind": "identities"},
}
BOUGHT: dict[str, Any] = {
    "features": "bought",
    "purpose": "free",
    "source": {"event": "buy"},
    "aggregates": [{"name": "number", "op": "count", "windows": ["2d"]}],
}
NOTE: dict[str, Any] = {
    "features": "noted",
    "purpose": "free",
    "source": {"event": "buy"},
    "aggregates": [{"name": "last", "op": "last", "of": "note", "windows": ["2d"]}],
}
KEPT = {**FREE, "max_lookback": "2d", "retention": "3d"}
NOTED = {"did": {"event": "buy", "where": "note != 'x'"}}


def told(**more: Any) -> World:
    """A segment of who has bought with a note within two days."""
    return world(purposes=[KEPT], sources=SOURCES, when=NOTED, state_reach="1d", **more)


def nobody(*heard: object) -> None:
    """Hears of progress."""


class Kept(Target):
    """A target that is told of facts and run, at hours."""

    def at(self, hours: float, *facts: Fact) -> "Kept":
        if facts:
            self.write(facts)
        self.run(instant(hours))
        return self

    def at_clock(self, hours: float, *facts: Fact) -> None:
        """A run whose T is what the clock says."""
        if facts:
            self.write(facts)
        live(self.folder, Options(instant(hours)))

    @property
    def aside(self) -> list[float | None]:
        """When what was set aside was received, in hours."""
        found = self.rows("SELECT epoch_us(received_at) FROM quarantine ORDER BY 1")
        return [None if at is None else (at - instant(0)) / HOUR for (at,) in found]

    def during(self, who: str, segment: str = "it@1") -> list[tuple[float, float | None]]:
        found = self.history().get((segment, who), [])
        return [((a - instant(0)) / HOUR, None if b is None else (b - instant(0)) / HOUR) for a, b in found]

    @property
    def gone(self) -> list[int]:
        """How many events went with each run, as the manifest has it."""
        found = self.rows("SELECT json_extract(inputs, '$.gone.went')::BIGINT FROM run_manifest ORDER BY k")
        return [count for (count,) in found]

    @property
    def events(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT subject, event_id, note FROM events ORDER BY occurred_at, event_id")


def buy(hours: float, who: str = "ann", received: float | None = None, note: str = "any") -> Event:
    one = event(hours, who, note=note)
    return one if received is None else replace(one, received_at=instant(received))


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Kept]:
    yield Kept(tmp_path, told())


def test_events_older_than_every_purpose_keeps_them_go_with_the_next_run_but_for_the_first(target: Kept) -> None:
    target.at(200, buy(0, note="sesame"), buy(1), buy(119), buy(120), buy(3, "bob"))
    assert len(target.events) == 5
    marks = [("ann", "buy-0", None), ("bob", "buy-3", None)]
    assert target.at(201).events == [*marks, ("ann", "buy-120", "any")]
    assert target.at(225, buy(224, "bob")).events == [*marks, ("bob", "buy-224", "any")]
    assert target.gone == [0, 2, 1]


def test_what_was_known_at_an_earlier_k_stays_known_then(target: Kept) -> None:
    target.at(100, buy(10)).at(195, buy(5, received=195), buy(7, received=196)).at(200, buy(199, "bob"))
    assert [one for _, one, _ in target.events] == ["buy-5", "buy-10", "buy-199"]
    with target.lake() as lake:
        told_then = explain_subject(lake, read_project(target.folder, language()), "ann", "it", instant(170), instant(150))
    assert told_then["member"] is False


def test_late_news_changes_only_what_can_be_computed_still(target: Kept) -> None:
    # at hour 200 what was before hour 120 goes: answers can be computed from hour 168 on
    target.at(200, buy(0), buy(160, "bob")).at(201, buy(130, received=201), buy(20, received=201), buy(150, "cid", 201))
    assert target.during("ann") == [(0, 48), (168, 178)]
    assert target.during("cid") == [(168, 198)]
    assert target.at(202).events[:2] == [("ann", "buy-0", None), ("ann", "buy-130", "any")]
    target.at(225, buy(224)).at(226, buy(172, "bob", 226))
    assert target.during("ann") == [(0, 48), (168, 178), (224, None)]
    assert target.during("bob") == [(160, 220)]


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


def asked(**more: Any) -> World:
    """The same for a purpose that has to be consented to."""
    purpose = {"id": "asked", "basis": "consent", "max_lookback": "2d", "retention": "3d"}
    sources = {**SOURCES, "led": {"kind": "consents"}}
    return world(purpose="asked", purposes=[purpose], sources=sources, when=NOTED, state_reach="1d", **more)


def withdrawn(hours: float, who: str, received: float) -> Consent:
    return replace(row(hours, who, "WITHDRAW"), received_at=instant(received))


CONSENTED = (row(0, "ann"), row(0, "bob"), row(0, "cid"), buy(100), buy(130), buy(60, "bob"), buy(60, "cid"))
LATE = (withdrawn(110, "ann", 201), withdrawn(70, "bob", 201))


def taken_back(target: Kept) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """In hours, what the last run corrected, and what it says was exposed."""
    changes = target.rows(
        "SELECT subject, epoch_us(effective_at), epoch_us(until_at), member, reason FROM segment_changes "
        "WHERE kind = 'corrected' AND run_id = (SELECT arg_max(run_id, k) FROM run_manifest) ORDER BY ALL"
    )
    exposed = target.rows("SELECT subject, epoch_us(wrong_since_at) FROM exposures ORDER BY ALL")
    return [(who, hour(a), hour(b), *more) for who, a, b, *more in changes], [(who, hour(at)) for who, at in exposed]


def hour(at: int) -> float:
    return (at - instant(0)) / HOUR


@pytest.mark.parametrize("rebuilds", [False, True])
def test_a_withdrawal_that_is_heard_of_late_takes_back_what_was_published_of_before_the_horizon(
    tmp_path: Path, rebuilds: bool
) -> None:
    # at hour 200 what was before hour 120 goes: but for the ledger nothing could be computed of before hour 168
    target = Kept(tmp_path, asked()).at(200, *CONSENTED)
    if rebuilds:
        target.define(asked(segments=[{"segment": "all", "purpose": "asked", "when": {"did": {"event": "buy"}}}]))
    target.at(201, *LATE)
    assert (target.during("ann"), target.during("bob"), target.during("cid")) == ([(100, 110)], [(60, 70)], [(60, 108)])
    gone = [("ann", 110, 178, False, "consent"), ("bob", 70, 108, False, "consent")]
    assert taken_back(target) == (gone, [("ann", 110), ("bob", 70)])
    target.at(225, buy(224)).at(226, row(225.5, "bob"), buy(225.75, "bob"))
    assert (target.during("ann"), target.during("bob")) == ([(100, 110)], [(60, 70), (225.75, None)])


def test_a_withdrawal_that_is_heard_of_as_all_is_read_again_takes_back_what_was_published_too(tmp_path: Path) -> None:
    target = Kept(tmp_path, asked()).at(200, *CONSENTED)
    target.write(LATE)
    target.run(instant(201), full_refresh=True)
    assert (target.during("ann"), target.during("bob"), target.during("cid")) == ([(100, 110)], [(60, 70)], [(60, 108)])
    assert taken_back(target)[1] == [("ann", 110), ("bob", 70)]


def test_what_is_told_about_a_time_of_which_events_are_gone_is_what_the_record_says(target: Kept) -> None:
    target.at(200, buy(0), buy(130))
    project = read_project(target.folder, language())
    with target.lake() as lake:
        with pytest.raises(CallError) as refused:
            explain_subject(lake, project, "ann", "it", instant(10), None)
        assert explain_subject(lake, project, "ann", "it", instant(170), None)["member"] is True
    assert (refused.value.code, "a member then" in refused.value.hint) == ("SEG-0923", True)


def test_features_of_a_time_of_which_events_are_gone_are_refused(target: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    target.define(replace(told(), project={**told().project, "features": [BOUGHT]}))
    target.at(200, buy(0), buy(130))
    asked = target.folder / "asked.csv"
    for hours, code in ((167, 2), (168, 0)):
        asked.write_text(f"subject,at\nann,{write_instant(instant(hours))}\n")
        assert call(["--project-dir", str(target.folder), "features", "--at", str(asked), "--format", "csv"]) == code
    said = capsys.readouterr()
    assert (said.out.splitlines()[-1].endswith(",1"), "SEG-0923" in said.err) == (True, True)


def test_a_backfill_from_before_the_horizon_is_refused(target: Kept) -> None:
    target.at(200, buy(0), buy(130))
    project = read_project(target.folder, language())
    with pytest.raises(CallError) as refused:
        backfill(project, select(project, "it"), Period(instant(167), instant(190)), lambda: instant(200), nobody)
    assert refused.value.code == "SEG-0923"


def test_what_was_set_aside_goes_by_when_it_was_received(target: Kept) -> None:
    """Where that can not be read, by when the run began that set it aside."""
    target.write([buy(150, received=119), buy(150, "bob", received=120)])
    (target.folder / "data/web/bad.ndjson").write_text("{no json\n")
    target.at_clock(121)
    assert target.aside == [119, 120, None]
    target.at_clock(200)
    assert target.aside == [120, None]
    target.at_clock(225, buy(224))
    assert target.aside == []


def test_events_go_with_a_run_that_has_nothing_else_to_do(target: Kept) -> None:
    """And the states with the one after it, which nothing else asks for either."""
    target.at(100, buy(0), buy(50), buy(99))
    all_of, left = ["buy-0", "buy-50", "buy-99"], ["buy-0", "buy-99"]
    for hours, runs, events in ((101, 2, all_of), (143, 2, all_of), (144, 3, left), (145, 4, left), (146, 4, left)):
        assert (len(target.at(hours).runs()), [one for _, one, _ in target.events]) == (runs, events)


def test_events_go_from_the_state_of_a_shard_of_which_few_are_heard(target: Kept) -> None:
    target.sharded(1).write(buy(130 + number / 64, f"p{number}") for number in range(60))
    expected = {f"p{number}": [(130 + number / 64, 178 + number / 64)] for number in range(60)}
    for number, hours in enumerate((200, 201, 225, 226, 227, 280)):
        target.at(hours, buy(hours - 0.5, f"p{number}"))
        expected[f"p{number}"].append((hours - 0.5, hours + 47.5))
    found = {who: target.during(who) for who in expected}
    assert found == {who: [(a, b if b <= 280 else None) for a, b in held] for who, held in expected.items()}


def test_a_plan_tells_what_goes_with_the_run(target: Kept) -> None:
    target.at(100, buy(0), buy(50), buy(99))
    assert "goes" not in planned(target, write_instant(instant(143)))
    assert planned(target, write_instant(instant(144)))["goes"] == {"before": instant(72), "events": 1}
    _, said, _ = segue(target, "plan", "--as-of", write_instant(instant(144)))
    assert "removes what is older than 2023-11-18T00:00:00Z, for good: 1 event" in " ".join(said.split())


def test_a_t_ahead_of_the_clock_lets_nothing_go_that_is_not_old(target: Kept) -> None:
    target.write([buy(0), buy(1), buy(30), buy(31)])
    for hours in (5000, 5001):
        live(target.folder, Options(instant(97), instant(hours)))
    assert [one for _, one, _ in target.events] == ["buy-0", "buy-30", "buy-31"]


def test_a_run_that_is_done_again_later_lets_go_what_it_would_have_let_go_then(target: Kept) -> None:
    target.write([buy(0), buy(1), buy(30), buy(31)])
    live(target.folder, Options(instant(97), instant(5000)))
    assert retry(target, die(target.folder, Options(instant(98), instant(5001))))[0] == 0
    assert [one for _, one, _ in target.events] == ["buy-0", "buy-30", "buy-31"]


def test_a_stream_that_begins_again_goes_on_from_what_is_left(target: Kept) -> None:
    target.write([buy(100), buy(130), buy(131, "bob")])
    for hours in (200, 201):
        with streaming(target, instant(hours)) as live:
            live.tell([buy(150 + hours - 200, "cid", received=hours), link(hours - 200, "bob", "ann", received=hours)])
            live.commit(instant(hours + 0.5))
    assert [target.during(who) for who in ("ann", "bob", "cid")] == [[(100, 179)], [(131, 168)], [(168, 199)]]


def test_nothing_goes_while_any_purpose_does_not_say_for_how_long_it_keeps_data(tmp_path: Path) -> None:
    free = {"id": "other", "basis": "legitimate_interest", "max_lookback": "2d"}
    target = Kept(tmp_path, replace(told(), project={**told().project, "purposes": [KEPT, free]}))
    assert len(target.at(200, buy(0), buy(1)).events) == 2
    with target.lake() as lake:
        last = last_run(lake)
    assert last is not None and last.gone_before_at < 0


def test_no_file_of_the_warehouse_holds_what_is_gone_after_the_next_run_and_tidying(target: Kept) -> None:
    target.define(replace(told(), project={**told().project, "features": [NOTE]}))
    target.at(110, buy(60, note="sesame"), buy(61, note="simsim"), buy(100), buy(150, "cid", 101, note="sesame"))
    with target.lake() as lake:
        root = lake.root
    held = {part for path in with_secrets(root) for part in path.relative_to(root).parts}
    assert held >= {"events", "quarantine", "state"}
    target.at(200, buy(199), buy(250, "cid", 199)).at(201, buy(200, "bob"))
    with open_target(read_project(target.folder, language())) as lake:
        lake.tidy("INTERVAL 0 SECONDS")
    assert with_secrets(root) == []
    with closing(sqlite3.connect(root / CATALOG)) as catalog:
        assert [row for row in catalog.iterdump() if "sesame" in row or "simsim" in row] == []
    stored = [row for path in root.rglob("events/**/*.parquet") for row in pq.read_table(path).to_pylist()]
    assert sorted((row["event_id"], row["note"]) for row in stored) == [("buy-199", "any"), ("buy-200", "any"), ("buy-60", None)]


def with_secrets(root: Path) -> list[Path]:
    """The files beside the catalog in which one of two notes is written."""
    files = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith(CATALOG)]
    return [path for path in files if any(text in path.read_bytes() for text in (b"sesame", b"simsim"))]


def test_a_stream_lets_events_go_with_its_cuts_and_leaves_what_was_published_of_before(target: Kept) -> None:
    target.write([buy(100), buy(130)])
    with streaming(target, instant(200)) as live:
        live.tell([buy(20, received=201), buy(150, received=201)])
        live.commit(instant(202))
        assert target.during("ann") == [(100, 198)]
        live.tell([buy(224)])
        live.commit(instant(225))
    assert target.during("ann") == [(100, 198), (224, None)]
    noted = [(one, note) for _, one, note in target.events]
    assert noted == [("buy-20", None), ("buy-100", None), ("buy-150", "any"), ("buy-224", "any")]
