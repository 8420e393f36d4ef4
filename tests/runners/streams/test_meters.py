"""What a stream tells Prometheus, and that the tables say the same."""

import math
import socket
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from runners.publishing.staging import BESIDE, FATES
from runners.runs.run_plan import Published
from runners.runs.running import Outcome
from runners.streams.meters import Address, Meters, Written, metered
from runners.streams.streaming import Committed
from schemas.errors import CallError
from tests.support.generator import Generator
from tests.support.histories import Fact
from tests.support.oracle_model import DAY
from tests.support.streamed import free_port, scraped
from tests.support.streams import streaming
from tests.support.whole_runs import NOW, Target, crowded, parted, shuffled

pytest.importorskip("prometheus_client")
SECOND = 1_000_000
NOTHING = Written({}, 0, 0, {})


class Watched:
    """Meters whose clock is set, and what they would answer."""

    def __init__(self, *consents: str) -> None:
        self.at_s = self.whole_s = 0.0
        self.meters = Meters(consents, lambda: int(self.at_s * SECOND), lambda: int(self.whole_s * SECOND))

    def commit(self, written: Written = NOTHING, t_s: float = 0, seconds: float = 0.4, status: str = "published") -> None:
        published = Published(status, "run", 0, {})  # type: ignore[arg-type]
        self.meters.note(Committed(published, int(t_s * SECOND), 1, 3, 2, (), seconds), written)

    def __call__(self, name: str, **labels: str) -> float | None:
        found = self.meters.registry.get_sample_value(f"segue_{name}", labels)
        return None if found is None else float(found)


def test_records_are_counted_by_what_became_of_them_over_all_commits() -> None:
    one = Watched()
    one.commit(Written({"used": 5, "late": 2, "late_used": 1}, 0, 0, {}))
    one.commit(Written({"used": 3, "refused": 4, "conflicts": 6}, 0, 0, {}))
    counted = {fate: one("records_total", fate=fate) for fate in FATES}
    assert counted == {**dict.fromkeys(FATES, 0.0), "used": 8, "late": 2, "refused": 4}
    assert (one("records_late_used_total"), one("records_conflicts_total")) == (1, 6)


def test_every_number_is_there_before_anything_has_happened() -> None:
    one = Watched()
    assert [one("records_total", fate=fate) for fate in FATES] == [0] * len(FATES)
    assert [one(name) for name in ("commits_total", "corrections_total", "state_bytes", "commit_seconds_count")] == [0] * 4


def test_corrections_and_who_was_made_anew_add_up_and_the_state_is_as_large_as_it_is_now() -> None:
    one = Watched()
    one.commit(Written({}, 7, 1_000, {}))
    one.commit(Written({}, 1, 900, {}))
    assert [one(name) for name in ("corrections_total", "subjects_made_anew_total", "state_bytes")] == [8, 4, 900]


def test_a_cut_that_published_nothing_is_no_commit_and_takes_no_time() -> None:
    one = Watched()
    one.commit(seconds=0.4)
    one.commit(seconds=9.0, status="unchanged")
    assert [one(f"commit_seconds_{of}") for of in ("count", "sum")] == [1, 0.4]
    assert [one("commit_seconds_bucket", le=bound) for bound in ("0.25", "0.5")] == [0, 1]
    assert one("commits_total") == 1


def test_the_run_that_catches_up_is_a_commit_but_no_cut() -> None:
    one = Watched()
    one.meters.note(Outcome(Published("published", "run", 0, {}), 0, 60.0, (), 5), NOTHING)
    assert [one(name) for name in ("commits_total", "commit_seconds_count", "subjects_made_anew_total")] == [1, 0, 5]


def test_the_watermark_lags_by_what_t_was_behind_when_the_cut_was_told_and_waits_for_the_next() -> None:
    one = Watched()
    one.at_s = 20
    one.commit(t_s=17.5)
    one.at_s = 60
    assert one("watermark_lag_seconds") == 2.5
    one.commit(t_s=61)
    assert one("watermark_lag_seconds") == 0


def test_freshness_and_the_age_of_consents_go_on_with_the_clock() -> None:
    one = Watched("ledger")
    one.commit(Written({}, 0, 0, {"ledger": 4 * SECOND, "of_another_project": 1}))
    one.at_s, one.whole_s = 10, 9
    assert (one("freshness_seconds"), one("consent_source_age_seconds", source="ledger")) == (1, 6)
    one.at_s = 12
    assert (one("freshness_seconds"), one("consent_source_age_seconds", source="ledger")) == (3, 8)
    assert one("consent_source_age_seconds", source="of_another_project") is None


def test_consents_that_never_said_anything_are_older_than_any_bound() -> None:
    assert Watched("ledger")("consent_source_age_seconds", source="ledger") == math.inf


def told_target(folder: Path, parts: int) -> tuple[Target, list[Sequence[Fact]]]:
    """A target to which the first part of a world is told, and the others."""
    dice = Random(3)
    world = crowded(Generator(dice, merges=False, scored=True), 4)
    target, (first, *rest) = Target(folder, world).sharded(2), parted(shuffled(world, dice), dice, parts)
    target.write(first)
    return target, rest


def test_the_numbers_of_a_stream_are_those_of_the_runs_it_has_published(tmp_path: Path) -> None:
    target, parts = told_target(tmp_path, 4)
    with streaming(target, NOW) as live:
        meters = Meters([], live.clock, lambda: live.stream.whole_at)
        meters.note(live.caught_up, Written.of(live.stream.lake, live.caught_up))
        for number, part in enumerate(parts, 1):
            live.tell(part)
            told = live.commit(NOW + number * DAY)
            meters.note(told, Written.of(live.stream.lake, told))
    value = meters.registry.get_sample_value
    said = {fate: value("segue_records_total", {"fate": fate}) for fate in FATES}
    runs = target.runs()
    assert said == {fate: sum(run.fates[fate] for run in runs) for fate in FATES}
    assert sum(said.values()) == sum(run.fates["read"] for run in runs)
    assert value("segue_commits_total") == len(runs)
    assert value("segue_corrections_total")
    for name, sql in {
        **{f"records_{name}_total": f"SELECT sum({name}) FROM run_manifest" for name in BESIDE},
        "corrections_total": "SELECT count(*) FROM segment_changes WHERE kind = 'corrected'",
        "state_bytes": "SELECT sum(bytes) FROM kernel_state",
    }.items():
        assert [(value(f"segue_{name}"),)] == target.rows(sql), name


def test_what_is_published_is_whole_as_of_the_closing_of_its_cut_and_on_while_nothing_waits(tmp_path: Path) -> None:
    target, (part,) = told_target(tmp_path, 2)
    with streaming(target, NOW) as live:
        live.tell(part)
        live.clock.at += 60 * SECOND
        assert live.stream.is_due()
        assert live.stream.whole_at == NOW
        live.commit(at := NOW + 90 * SECOND)
        live.clock.at += SECOND
        assert live.stream.whole_at == at
        assert not live.stream.is_due()
        assert live.stream.whole_at == live.clock.at


def test_a_port_that_is_taken_is_told_in_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, streaming(told_target(tmp_path, 2)[0], NOW) as live:
        address = Address("127.0.0.1", other.getsockname()[1])
        said = rf"can not be served at 127\.0\.0\.1:{address.port}: address already in use"
        with pytest.raises(CallError, match=said), metered(live.stream, address):
            pass


def test_a_scrape_over_http_tells_what_was_measured(tmp_path: Path) -> None:
    address = Address("127.0.0.1", free_port())
    with streaming(told_target(tmp_path, 2)[0], NOW) as live, metered(live.stream, address) as measure:
        measure(live.caught_up)
        found = scraped(address.port)
    assert (found["segue_commits_total"], found['segue_commit_seconds_bucket{le="+Inf"}']) == (1, 0)
    assert not [name for name in found if name.endswith("_created")]
