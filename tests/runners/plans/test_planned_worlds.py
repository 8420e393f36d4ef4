"""Whatever the definitions were and become: a plan foretells what its run publishes."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from schemas.definitions.instant import write_instant
from tests.support.generator import Generator
from tests.support.histories import facts_of
from tests.support.oracle_model import World
from tests.support.planned import changed, moved, planned, segue
from tests.support.whole_runs import Target, crowded


def otherwise(before: World, seed: int) -> World:
    """The same facts, with other segments, features and purposes over them; one of three segments stays as it is."""
    other = Generator(Random(seed)).project()
    said = json.dumps({name: other[name] for name in ("segments", "features", "purposes")})
    renamed = json.loads(said.replace("grp", "others"))
    kept = {"segments": [*renamed["segments"][:2], {**before.project["segments"][0], "segment": "s2"}]}
    features = [*before.project["features"], *renamed["features"]]
    return World({**before.project, **renamed, **kept, "features": features}, before.events)


def members(target: Target) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = {}
    for segment, subject in target.rows("SELECT segment, subject FROM segment_membership"):
        found.setdefault(segment, set()).add(subject)
    return found


@pytest.mark.parametrize("seed", [8, 21, 36])
def test_what_is_foretold_comes_true(tmp_path: Path, seed: int) -> None:
    generator = Generator(Random(seed))
    before = crowded(generator, 5)
    at = generator.at()
    target = Target(tmp_path, before).sharded(1)
    target.write(facts_of(before))
    target.run(at)
    target.define(otherwise(before, seed + 1))
    plan, was = planned(target, write_instant(at)), members(target)
    found = changed(plan)
    assert found
    code, _, noted = segue(target, "apply", str(tmp_path / "plan.json"))
    assert code == 0, noted
    now = members(target)
    for name in {*was, *now}:
        one, two = was.get(name, set()), now.get(name, set())
        assert (moved(found[name]) if name in found else (len(one), 0, 0)) == (len(one), len(two - one), len(one - two)), name
    assert planned(target, write_instant(at))["does"] == "nothing"
