"""The law over topics: one history, whatever arrives when, in whichever partition, beside whichever files, in how many runs."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.support.generator import Generator
from tests.support.histories import Fact, every_fact, expected
from tests.support.oracle_model import DAY, World
from tests.support.topics import Brokers
from tests.support.whole_runs import Target, as_record, crowded, versioned

PARTITIONS = 4


class Topics(Target):
    """A project of which some sources are topics; each fact is written to any partition."""

    def __init__(self, folder: Path, world: World, brokers: Brokers, dice: Random) -> None:
        self.brokers, self.dice, self.prefix = brokers, dice, f"t{abs(hash(folder))}"
        sources = world.project["sources"]
        facts = [name for name, source in sources.items() if source["kind"] != "lookup"]
        self.topics = {*dice.sample(facts, max(1, len(facts) - 1))}
        told = {name: self._of(name, source) for name, source in sources.items()}
        super().__init__(folder, replace(world, project={**world.project, "sources": told}))

    def _of(self, name: str, source: dict[str, object]) -> dict[str, object]:
        address = {"bootstrap": self.brokers.bootstrap, "topic": f"{self.prefix}-{name}"}
        return {**source, "from": {"kafka": address}} if name in self.topics else source

    def write(self, facts: Iterable[Fact], name: str | None = None) -> list[Path]:
        """Append facts in their order, those of files to files."""
        facts = list(facts)
        for fact in facts:
            if fact.source in self.topics:
                value = json.dumps(as_record(fact)).encode()
                self.brokers.write(f"{self.prefix}-{fact.source}", [value], self.dice.randrange(PARTITIONS))
        return super().write((fact for fact in facts if fact.source not in self.topics), name)


def one_history(folder: Path, seed: int) -> None:
    dice = Random(seed)
    generator = Generator(dice, merges=True, scored=True)
    world = crowded(generator, 6)
    facts = every_fact(world)
    dice.shuffle(facts)
    target = Topics(folder, world, Brokers(), dice)
    cuts = sorted(dice.randrange(len(facts) + 1) for _ in range(2))
    moments = sorted(generator.at() + DAY for _ in range(3))
    for begin, end, at in zip((0, *cuts), (*cuts, len(facts)), moments, strict=True):
        target.write(facts[begin:end])
        target.sharded(dice.choice((1, 3, 16))).run(at)
    last = target.runs()[-1]
    assert target.history() == versioned(expected(world, last.t_at, last.known_at))
    assert target.folded() == target.history()


@pytest.mark.parametrize("seed", [0, 1])
def test_topics_tell_the_history_that_the_law_tells(tmp_path: Path, seed: int) -> None:
    one_history(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 130))
def test_the_law_over_topics_at_length(tmp_path: Path, seed: int) -> None:
    one_history(tmp_path, seed)
