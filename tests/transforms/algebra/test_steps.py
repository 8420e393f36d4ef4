"""What a step remembers: the subjects that nothing has happened to are not looked at, and are answered as if they were."""

import tempfile
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.generator import DAY, START, Generator
from tests.support.histories import Shard, facts_of
from tests.support.oracle import World
from tests.support.oracle_model import Event, Profile
from transforms.algebra.state import read_state, write_state

WORLDS = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def shard_of(world: World) -> Shard:
    with tempfile.TemporaryDirectory() as folder:
        return Shard.of(Path(folder), world)


def counted(published: dict[str, pa.Table]) -> set[tuple[str, str, int]]:
    """How many subjects each verdict is about."""
    rows = published["verdicts"].to_pylist()
    return {(row["purpose"], row["reason"], row["subjects"]) for row in rows if row["subjects"]}


@WORLDS
@given(st.randoms(use_true_random=False))
def test_verdicts_remembered_add_up_to_those_of_one_step(random: Random) -> None:
    generator = Generator(random, merges=True, scored=True)
    world = generator.world()
    facts, shard = facts_of(world), shard_of(world)
    cut = random.randrange(len(facts) + 1)
    moments = sorted(generator.at() for _ in range(3))
    for some, at in zip((facts[:cut], facts[cut:], []), moments, strict=True):
        shard.step(some, at)
    whole = Shard(shard.program.project).step(facts, moments[-1])
    assert counted(shard.published[-1]) == counted(whole.published[-1])


@WORLDS
@given(st.randoms(use_true_random=False))
def test_a_state_read_again_goes_on_as_the_one_in_memory(random: Random) -> None:
    generator = Generator(random, merges=True, scored=True)
    world = generator.world()
    facts, shard, twin = facts_of(world), shard_of(world), shard_of(world)
    cut = random.randrange(len(facts) + 1)
    moments = sorted(generator.at() for _ in range(2))
    shard.step(facts[:cut], moments[0]).step(facts[cut:], moments[1])
    twin.step(facts[:cut], moments[0])
    sink = pa.BufferOutputStream()
    write_state(twin.state, {"t": moments[0]}, sink)
    twin.state, about = read_state(sink.getvalue())
    twin.step(facts[cut:], moments[1])
    assert about == {"t": moments[0]}
    assert [table.to_pylist() for table in twin.published[-1].values()] == [
        table.to_pylist() for table in shard.published[-1].values()
    ]


def plain_world(**more: object) -> World:
    """A purpose that needs no consent, one source of each kind."""
    generator = Generator(Random(1))
    project = {**generator.project(), "purposes": [{"id": "p", "basis": "legitimate_interest"}], **more}
    return World({**project, "segments": []}, (), (), ())


@pytest.mark.parametrize(("days", "written"), [(1, 0), (2, 1), (3, 1)])
def test_a_feature_row_is_written_once_the_first_fact_is_due(days: int, written: int) -> None:
    count = {"name": "n", "op": "count", "windows": ["lifetime"]}
    group = {"features": "grp", "purpose": "p", "source": {"event": "a"}, "aggregates": [count]}
    shard = shard_of(plain_world(features=[group]))
    shard.step([Profile("prof", "u1", START + 2 * DAY, START, {"country": "DE"}, "delta")], START)
    assert len(shard.published[-1]["feature_rows"]) == 0
    shard.step([], START + days * DAY)
    assert len(shard.published[-1]["feature_rows"]) == written


def test_a_state_remembers_one_verdict_and_one_pair_of_phases_of_each_subject(tmp_path: Path) -> None:
    """However many steps there were, and whoever came with the last."""
    when = {"lifecycle": {"event": "a", "period": "7d", "in": ["lost"]}}
    segments = [{"segment": "lost", "purpose": "p", "when": when}]
    shard = Shard.of(tmp_path, World({**plain_world().project, "segments": segments}))
    for number, at in ((1, START), (2, START + DAY), (3, START + 2 * DAY)):
        shard.step([Profile("prof", f"u{number}", at, at, {"country": "DE"}, "delta")], at)
        assert [len(shard.state.verdicts), len(shard.state.lifecycles)] == [number, number]
    shard.step([], START + 3 * DAY)
    assert [len(shard.state.verdicts), len(shard.state.lifecycles)] == [3, 3]


def test_a_turn_at_t_is_told_once_and_not_again_when_the_next_falls_due(tmp_path: Path) -> None:
    when = {"did": {"event": "a", "window": "10d"}}
    segments = [{"segment": "lately", "purpose": "p", "when": when}]
    shard = Shard.of(tmp_path, World({**plain_world().project, "segments": segments}))
    source = next(name for name, said in shard.program.project.sources.items() if said.kind == "events")
    told = [Event(source, "ann", "1", "a", START, START)]
    for days, kinds in ((0, ["entered"]), (10, ["exited"]), (20, [])):
        shard.step([] if days else told, START + days * DAY)
        assert shard.published[-1]["changes"]["kind"].to_pylist() == kinds
