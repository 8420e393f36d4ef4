"""Every aggregate of every kind of column, compared in every way with what lies at, below and beyond, against the oracle."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.generator import CHANGES, COLUMNS, COMPARISONS, COUNTS, SHARED, WINDOWS, Generator
from tests.support.histories import LATER
from tests.support.oracle import truth
from tests.support.oracle_model import World
from tests.support.worlds import language
from tests.transforms.algebra.test_every_pair import LEAVES
from tests.transforms.algebra.test_many_worlds import of_world
from tests.transforms.algebra.test_operators import NODE

AGGREGATES = [(op, of) for op, columns in COLUMNS.items() for of in columns]
KEPT = ("lifetime", "2d", "36h")
MORE: dict[str, tuple[dict[str, Any], ...]] = {
    "percentile": tuple({"p": p} for p in (0, 0.34, 0.5, 0.9, 1)),
    "top_k": ({"k": 1}, {"k": 2}),
    "list": ({"n": 1}, {"n": 3}),
}
COUNTED = ("count", "distinct", "days_active", "share")
NUMBERS = [(op, of) for op, of in AGGREGATES if op in COUNTED or (of in ("amount", "n") and op not in ("top_k", "list"))]
"""The aggregates that are numbers, which a trend may be of."""
EVENTS, FEW, SHAPES = 24, 6, 30


def more(op: str, of: str | None) -> tuple[dict[str, Any], ...]:
    """What an aggregate says beside its column."""
    return tuple({"value": value} for value in SHARED[str(of)]) if op == "share" else MORE.get(op, ({},))


def world(
    seed: str, leaves: list[dict[str, Any]], aggregates: tuple[dict[str, Any], ...] = (), events: int = EVENTS
) -> World:
    """A segment for each leaf, over many events of subjects whom nothing forbids to count."""
    drawn = Generator(Random(seed))
    drawn.scored = True
    segments = [{"segment": f"s{place}", "purpose": "p", "when": leaf} for place, leaf in enumerate(leaves)]
    project = {**drawn.project(), "purposes": [{"id": "p", "basis": "legitimate_interest"}], "segments": segments}
    if aggregates:
        project["features"] = [{"features": "grp", "purpose": "p", "source": {"event": "any"}, "aggregates": [*aggregates]}]
    told, profiles = tuple(drawn.event() for _ in range(events)), tuple(drawn.profile() for _ in range(FEW))
    return World(project, told, profiles, scores=tuple(drawn.score() for _ in range(FEW)))


@pytest.mark.parametrize(("op", "of"), AGGREGATES)
def test_an_aggregate_compares_as_the_law_says(tmp_path: Path, op: str, of: str | None) -> None:
    column = {} if of is None else {"of": of}
    said = [{"name": f"f{n}", "op": op, **column, **one, "windows": [*KEPT]} for n, one in enumerate(more(op, of))]
    comparisons = COMPARISONS.get(f"{op} of all", COMPARISONS[str(of)])
    leaves = [
        {"aggregate": {"feature": f"grp.{one['name']}_{kept}", "compare": compare}}
        for one in said for kept in KEPT for compare in comparisons
    ]
    assert of_world(tmp_path, world(f"{op} {of}", leaves, tuple(said))) == []


@pytest.mark.parametrize(("op", "of"), NUMBERS)
def test_a_trend_of_it_changes_as_the_law_says(tmp_path: Path, op: str, of: str | None) -> None:
    column = {} if of is None else {"of": of}
    said = [{"name": f"f{n}", "op": op, **column, **one, "windows": ["1d"]} for n, one in enumerate(more(op, of))]
    times = [(length, length) for length in ("12h", "2d")] + ([("1d", "2d")] if op in ("count", "sum") else [])
    leaves = [
        {"trend": {"feature": f"grp.{one['name']}", "this": this, "vs": vs, "change": change}}
        for one in said for this, vs in times for change in (*CHANGES, "> 0.3", "between 0 and 0.25", "< -0.6")
    ]
    assert of_world(tmp_path, world(f"{op} {of}", leaves, tuple(said))) == []


@pytest.mark.parametrize("distinct", [None, "cat", "n", "amount"])
def test_counts_compare_as_the_law_says_in_every_window(tmp_path: Path, distinct: str | None) -> None:
    counted = {} if distinct is None else {"distinct": distinct}
    leaves = [
        {"did": {"event": "any", "window": window, "count": count, **counted}} for window in WINDOWS for count in COUNTS
    ]
    assert of_world(tmp_path, world(str(distinct), leaves)) == []


@pytest.mark.parametrize("op", [name for name in LEAVES if name != "in_segment"])
def test_every_shape_of_an_operator_answers_as_the_law_does(tmp_path: Path, op: str) -> None:
    drawn = Generator(Random(op))
    assert of_world(tmp_path, world(op, [drawn.leaf(op, []) for _ in range(SHAPES)])) == []


@pytest.mark.parametrize("op", [name for name in LEAVES if name != "in_segment"])
def test_of_a_subject_without_events_an_operator_answers_what_it_foretells(op: str) -> None:
    drawn = Generator(Random(op))
    for _ in range(SHAPES):
        leaf = {op: {key: value for key, value in drawn.leaf(op, [])[op].items() if key != "missing"}}
        node = NODE.validate_python(leaf, context=language().context("UTC"))
        answer = truth(world(op, [leaf], events=0), "s0", "u1", LATER, LATER)
        assert node.compared() or answer in node.of_nothing(), leaf
