"""ClickHouse's own cases of `windowFunnel`: how many steps of a funnel were taken, as prefixes of a sequence."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import LATER, Shard
from tests.support.oracle_model import Event, World

START = 1_767_571_200_000_000
SECOND = 1_000_000
CASES = 56
_AGAIN = "a step that is taken again ends nothing: `unless` of other events forbids what is no step"
_TURN = "a step out of its turn ends nothing: `unless` of other events forbids what is no step"
_TWICE = "no rule ends a match where an event comes twice"
DEVIATES = {
    **dict.fromkeys((10, 12, 28, 29), _TWICE),
    **dict.fromkeys((40, 41, 49, 51, 52), _AGAIN),
    **dict.fromkeys((25, 43, 47), _TURN),
    33: "events at one instant may be taken in any order",
    34: "an event is taken for one step only: three equal steps need three events",
}
"""The cases in which the rules differ, and how."""
TAKEN = {10: 7, 12: 4, 25: 2, 28: 3, 29: 3, 33: 5, 34: 1, 40: 3, 41: 3, 43: 2, 47: 2, 49: 4, 51: 3, 52: 3}
"""What the rules here say of them."""


@pytest.fixture(scope="module")
def funnels(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data / "funnels" / "clickhouse_vectors.json").read_text())
    assert len(found["cases"]) == CASES
    return found


@pytest.fixture(scope="module")
def taken(funnels: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """Of each case how many steps were taken: the longest prefix of which there is a match."""
    cases, streams = funnels["cases"], funnels["streams"]
    segments = [segment(number, case, length) for number, case in enumerate(cases) for length in prefixes(case)]
    defined = {
        "timezone": "UTC",
        "purposes": [{"id": "p", "basis": "legitimate_interest"}],
        "sources": {"web": {"kind": "events", "properties": {}}},
        "segments": segments,
    }
    events = [
        Event("web", stream, f"e{number:02}", str(name), at, at)
        for stream, rows in streams.items()
        for number, (second, name) in enumerate(rows)
        for at in [START + second * SECOND]
    ]
    shard = Shard.of(tmp_path_factory.mktemp("funnels"), World(defined, tuple(events))).step(events, LATER)
    matched = set(shard.believed())
    return [
        max((length for length in prefixes(case) if (f"case_{number}_{length}", case["stream"]) in matched), default=0)
        for number, case in enumerate(cases)
    ]


def prefixes(case: dict[str, Any]) -> range:
    return range(1, len(case["steps"]) + 1)


def segment(number: int, case: dict[str, Any], length: int) -> dict[str, Any]:
    steps = [str(step) for step in case["steps"][:length]]
    when: dict[str, Any] = {"did": {"event": steps[0]}}
    if length > 1:
        when = {"sequence": {"steps": steps, "within": f"{case['window']}s", **between(case)}}
    return {"segment": f"case_{number}_{length}", "purpose": "p", "when": when}


def between(case: dict[str, Any]) -> dict[str, Any]:
    """In strict order nothing but the steps may happen in between."""
    names = ", ".join(f"'{name}'" for name in dict.fromkeys(map(str, case["steps"])))
    return {"unless": {"event": "any", "where": f"event NOT IN ({names})"}} if "strict_order" in case["modes"] else {}


@pytest.mark.parametrize("number", [number for number in range(CASES) if number not in DEVIATES])
def test_as_many_steps_are_taken_as_clickhouse_counts(funnels: dict[str, Any], taken: list[int], number: int) -> None:
    assert taken[number] == funnels["cases"][number]["expect"]


@pytest.mark.parametrize("number", DEVIATES, ids=str)
def test_where_the_rules_differ_the_number_is_another(funnels: dict[str, Any], taken: list[int], number: int) -> None:
    assert taken[number] == TAKEN[number] != funnels["cases"][number]["expect"], DEVIATES[number]
