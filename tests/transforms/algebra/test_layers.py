"""A state in two layers: a step looks at whom it concerns alone, and tells what it would tell if it looked at all."""

import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from tests.support.generator import Generator
from tests.support.histories import Layered, Shard, facts_of
from tests.support.merged import FREE, event, instant, link, world
from tests.support.oracle_model import World
from tests.support.worlds import arrived
from tests.transforms.algebra.test_folding import chunks, of_world
from transforms.algebra.layers import read_layers, write_awake
from transforms.algebra.order import BEGINNING, FOREVER
from transforms.algebra.program import Moment
from transforms.algebra.state import write_state
from transforms.segment import segment

Rows = list[tuple[object, ...]]
_COUNTS = {"verdicts": ("events", "subjects"), "lifecycles": ("subjects",)}


def said(published: dict[str, pa.Table]) -> dict[str, Rows]:
    """What a step publishes, in any order; numbers that are added up as their sums."""
    found = {}
    for name, rows in published.items():
        counts = _COUNTS.get(name, ())
        if counts:
            keys = [column for column in rows.column_names if column not in counts]
            rows = rows.group_by(keys).aggregate([(column, "sum") for column in counts])
        found[name] = sorted((tuple(one.values()) for one in rows.to_pylist()), key=repr)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_layers_that_forget_at_every_step_tell_the_same_history_and_features(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wrong, _ = of_world(Path(folder), Generator(Random(7000 + seed), merges=True, scored=True), Layered)
    assert wrong == []


@pytest.mark.parametrize("seed", range(30))
def test_each_step_publishes_what_it_would_without_layers(seed: int, tmp_path: Path) -> None:
    generator = Generator(Random(seed), merges=seed % 2 == 0, scored=True)
    told = generator.world()
    facts = facts_of(told)
    generator.random.shuffle(facts)
    plain, layered = Shard.of(tmp_path / "plain", told), Layered.of(tmp_path / "layered", told)
    moments = sorted(generator.at() for _ in range(6))
    for part, at in zip(chunks(facts, generator.random, 6), moments, strict=True):
        writes_features = generator.chance(50)
        for shard in (plain, layered):
            shard.step(part, at, writes_features)
        assert said(layered.published[-1]) == said(plain.published[-1])


def lately() -> World:
    sources = {"web": {"kind": "events", "properties": {"n": "int"}}, "ids": {"kind": "identities"}}
    return world(when={"did": {"event": "buy", "window": "7d"}}, sources=sources, purposes=[FREE])


def resting(folder: Path, *facts: object) -> Layered:
    """A shard in which all rest who were heard of on the first day."""
    shard = Layered.of(folder, lately())
    shard.random = Random(0)
    shard.step([*facts], instant(24))
    shard.layers = shard.layers.at_rest()
    shard.random.random = lambda: 1.0  # type: ignore[method-assign]
    return shard


def awake(shard: Layered) -> list[str]:
    return sorted(shard.layers.awake.ids.to_pylist())


def test_only_who_is_named_wakes(tmp_path: Path) -> None:
    shard = resting(tmp_path, event(1, "ann"), event(1, "bob"))
    shard.step([event(25, "ann"), event(25, "cy")], instant(26))
    assert awake(shard) == ["ann", "cy"]
    assert shard.layers.rest.count == 2


def test_with_who_is_named_all_wake_whom_links_connect_with_it(tmp_path: Path) -> None:
    shard = resting(tmp_path, event(1, "ann"), event(1, "bob"), event(1, "cy"), link(2, "bob", "ann"))
    shard.step([event(25, "ann")], instant(26))
    assert awake(shard) == ["ann", "bob"]


def test_who_leaves_a_segment_without_news_wakes_then(tmp_path: Path) -> None:
    shard = resting(tmp_path, event(1, "ann"), event(20, "bob"))
    shard.step([], instant(7 * 24 + 10), writes_features=False)
    assert awake(shard) == ["ann"]
    assert shard.published[-1]["changes"].select(["subject", "kind"]).to_pylist() == [{"subject": "ann", "kind": "exited"}]


def test_whom_k_comes_to_see_wakes_then(tmp_path: Path) -> None:
    late = replace(event(1, "ann"), received_at=instant(30))
    shard = Layered.of(tmp_path, lately())
    told = {name.encode(): rows.to_batches() for name, rows in arrived(shard.program.project, [late, event(1, "bob")]).items()}
    hidden, _ = segment(shard.program, shard.layers, told, Moment(BEGINNING, instant(24), FOREVER, instant(24)))
    seen, tables = segment(shard.program, hidden.at_rest(), {}, Moment(instant(24), instant(26), instant(24), instant(31)))
    assert seen.awake.ids.to_pylist() == ["ann"]
    assert tables["transitions"].select(["subject", "member"]).to_pylist() == [{"subject": "ann", "member": True}]


def test_where_nothing_happens_the_layers_stay_as_they_are(tmp_path: Path) -> None:
    shard = resting(tmp_path, event(1, "ann"))
    before = shard.layers
    shard.step([], instant(25), writes_features=False)
    assert shard.layers is before


def test_when_the_next_turns_is_told_of_all(tmp_path: Path) -> None:
    shard = resting(tmp_path, event(1, "ann"), event(2, "bob"), event(3, "cy"))
    shard.step([event(25, "ann")], instant(26))
    assert sorted(shard.layers.turns_at.tolist()) == [instant(hours + 7 * 24) for hours in (2, 3, 25)]


@pytest.mark.parametrize(("shard", "settles"), [(0, True), (3, False)])
def test_all_lie_down_once_many_are_awake_and_not_in_all_shards_at_once(shard: int, settles: bool, tmp_path: Path) -> None:
    made = resting(tmp_path, *(event(1, f"u{number}") for number in range(10)))
    made.step([event(25, f"u{number}") for number in range(3)], instant(26))
    assert made.layers.settled(shard, made.layers).is_at_rest is settles


def test_layers_read_again_are_those_that_were_written(tmp_path: Path) -> None:
    made = resting(tmp_path, event(1, "ann"), event(1, "bob"))
    made.step([event(25, "ann"), event(25, "cy")], instant(26))
    below, above = pa.BufferOutputStream(), pa.BufferOutputStream()
    write_state(made.layers.rest, {}, below)
    write_awake(made.layers, {}, above)
    made.layers = read_layers(below.getvalue(), above.getvalue())
    made.step([event(27, "bob")], instant(28))
    assert awake(made) == ["ann", "bob", "cy"]
    assert made.folded() == {("it", who): [(instant(hours), None)] for who, hours in (("ann", 1), ("bob", 1), ("cy", 25))}
