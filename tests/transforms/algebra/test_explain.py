"""Why somebody is a member or not at T, told by the kernel: the truth of every node, the events that decide, what comes next."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.support.histories import LATER, Shard, facts_of
from tests.support.merged import Fact, event, instant, link, lives, row, score, undo, world
from tests.support.oracle_model import Json
from transforms.algebra.explain import explain
from transforms.algebra.order import FOREVER
from transforms.algebra.state import facts_of as seen_of

SOURCES = {
    "web": {"kind": "events", "properties": {"n": "int", "price": "decimal(8,2)", "plan": "string"}},
    "crm": {"kind": "profiles", "properties": {"plan": "string", "points": "int", "rate": "float", "vip": "bool"}},
    "led": {"kind": "consents"},
    "ids": {"kind": "identities"},
    "models": {"kind": "scores"},
}
NUMBERS = [{"name": "spent", "op": "sum", "of": "price", "windows": ["10h"]}]
FEATURES = [{"features": "g", "purpose": "free", "source": {"event": "buy"}, "aggregates": NUMBERS}]
TWICE: Json = {"did": {"event": "buy", "count": ">= 2", "window": "10h"}}
VISIT: Json = {"sequence": {"steps": ["look", "buy"], "window": "10h"}}
Told = Callable[..., dict[str, Any]]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """What is told of `ann` at an hour."""

    def of(at: float, *facts: Fact, who: str = "ann", **project: Any) -> dict[str, Any]:
        asked = world(*facts, sources=SOURCES, features=FEATURES, **project)
        shard = Shard.of(tmp_path, asked).step(facts_of(asked), LATER)
        events = shard.state.facts["events"].select(["source", "event_id", "occurred_at"])
        names = [name.split("-")[0] for name in events["event_id"].to_pylist()]
        facts_seen = seen_of(shard.state, np.arange(shard.state.count), FOREVER, shard.program.project)
        segment = shard.program.project.segments["it"]
        return explain(segment, facts_seen, events.append_column("event", pa.array(names)), instant(at), who)

    return of


def decided(node: Json) -> list[str]:
    return [one["event_id"] for one in node["decided_by"]]


def test_each_node_has_its_own_truth(told: Told) -> None:
    unknown: Json = {"property": {"plan": "= 'gold'"}}
    when: Json = {"all": [TWICE, {"not": {"did": {"event": "return"}}}, unknown]}
    tree = told(2, event(1, "ann"), event(2, "ann"), when=when)["tree"]
    assert [tree["value"], *(child["value"] for child in tree["children"])] == [None, True, True, None]
    assert tree["children"][1]["children"][0]["value"] is False
    assert [child["node"] for child in tree["children"]] == ["did", "not", "property"]


def test_an_unknown_condition_is_told_with_what_was_said_for_it(told: Told) -> None:
    tree = told(2, event(1, "ann"), when={"property": {"plan": "= 'gold'", "missing": True}})["tree"]
    assert (tree["value"], tree["missing"]) == (True, True)


@pytest.mark.parametrize(
    ("at", "counted", "first", "ends", "flips"),
    [
        (0.5, [], None, None, 2),
        (1, ["buy-1"], 1, 11, 2),
        (2, ["buy-1", "buy-2"], 1, 11, 11),
        (10.5, ["buy-1", "buy-2"], 1, 11, 11),
        (11, ["buy-2"], 2, 12, None),
        (12, [], None, None, None),
    ],
)
def test_an_event_counts_from_its_instant_until_its_window_ends(
    told: Told, at: float, counted: list[str], first: float | None, ends: float | None, flips: float | None
) -> None:
    """Those of others do not at all, whether they came earlier or later."""
    others = (event(0, "abe"), event(2, "abe"), event(1, "bob"), event(1.5, "bob"))
    found = told(at, *others, event(1, "ann"), event(2, "ann"), when=TWICE)
    tree, member = found["tree"], 2 <= at < 11
    hours = [None if one is None else instant(one) for one in (first, ends, flips)]
    assert decided(tree) == counted
    assert tree["numbers"] == {"value": len(counted), "compared": ">= 2", "distance": len(counted) - 2}
    assert [*tree["window"].values(), tree["next_flip_at"]] == hours
    assert (found["member"], tree["value"], found["next_transition_at"]) == (member, member, hours[-1])


def test_what_counts_for_ever_never_ends(told: Told) -> None:
    tree = told(5, event(1, "ann"), when={"did": {"event": "buy"}})["tree"]
    assert tree["window"] == {"counted_from": instant(1), "first_ends_at": None}
    assert (tree["next_flip_at"], tree["decided_by"][0]["event"]) == (None, "buy")


@pytest.mark.parametrize(("at", "counted"), [(2, []), (3, ["buy-3", "look-1"]), (12, ["buy-3", "look-1"]), (13, [])])
def test_a_sequence_names_its_steps_while_it_counts(told: Told, at: float, counted: list[str]) -> None:
    others = (event(0, "abe", "look"), event(4, "abe"), event(0, "bob", "look"), event(4, "bob"))
    tree = told(at, *others, event(1, "ann", "look"), event(3, "ann"), when=VISIT)["tree"]
    assert sorted(decided(tree)) == counted
    assert tree["value"] is bool(counted)
    assert list(tree["window"].values()) == ([instant(3), instant(13)] if counted else [None, None])


def test_how_far_a_number_is_from_its_constant_is_told_as_it_is_written(told: Told) -> None:
    when: Json = {"property": {"points": ">= 100", "rate": "> 0.5", "plan": "= 'gold'", "vip": "= TRUE"}}
    numbers = told(2, lives(1, "ann", points=70, rate=0.7, plan="gold", vip=True), when=when)["tree"]["numbers"]
    assert numbers["points"] == {"value": 70, "compared": ">= 100", "distance": -30}
    assert numbers["rate"] == {"value": 0.7, "compared": "> 0.5", "distance": 0.2}
    assert numbers["plan"] == {"value": "gold", "compared": "= 'gold'"}
    assert numbers["vip"] == {"value": True, "compared": "= true"}


def test_of_a_profile_the_values_in_force_at_t_are_told(told: Told) -> None:
    rows = (lives(1, "ann", plan="gold"), lives(3, "ann", plan="free"), lives(2, "abe", plan="x"), lives(2, "bob", plan="y"))
    said = {at: told(at, *rows, when={"property": {"plan": "= 'gold'"}})["tree"]["numbers"]["plan"] for at in (0, 1, 2, 3)}
    assert {at: one["value"] for at, one in said.items()} == {0: None, 1: "gold", 2: "gold", 3: "free"}


def test_of_a_model_what_it_says_at_t_is_told(told: Told) -> None:
    rows = (score(1, "ann", value=0.75), score(3, "ann", value=0.25), score(2, "abe", value=1.0), score(2, "bob", value=1.0))
    when: Json = {"score": {"model": "churn", "compare": ">= 0.5"}}
    facts = (*(event(0, who, "look") for who in ("abe", "ann", "bob")), *rows)
    said = {at: told(at, *facts, when=when)["tree"]["numbers"] for at in (0.5, 2, 3)}
    assert {at: one["value"] for at, one in said.items()} == {0.5: None, 2: 0.75, 3: 0.25}
    assert said[3]["distance"] == -0.25


def test_a_sum_is_told_in_its_own_decimals(told: Told) -> None:
    when: Json = {"aggregate": {"feature": "g.spent_10h", "compare": "> 20"}}
    tree = told(3, event(1, "ann", price=Decimal("10.25")), event(2, "ann", price=Decimal("0.50")), when=when)["tree"]
    assert {name: str(said) for name, said in tree["numbers"].items()} == {
        "value": "10.75", "compared": "> 20", "distance": "-9.25",
    }


@pytest.mark.parametrize(("at", "is_open"), [(0.5, False), (1, True), (4.5, True), (5, False), (7, True)])
def test_without_an_open_purpose_nothing_is_known_of_any_node(told: Told, at: float, is_open: bool) -> None:
    facts = (event(0.25, "ann"), row(1, "ann"), event(2, "ann"), row(5, "ann", "WITHDRAW"), row(7, "ann"), event(8, "bob"))
    found = told(at, *facts, row(0, "abe"), row(0, "bob"), when={"all": [TWICE, {"not": VISIT}]}, purpose="asked")
    tree = found["tree"]
    assert found["purpose_open"] is is_open
    assert [one["value"] is None for one in (tree, *tree["children"])] == [not is_open] * 3
    assert ("next_flip_at" in tree, tree["children"][0]["window"] is None) == (is_open, not is_open)


@pytest.mark.parametrize(
    ("population", "at", "belongs"),
    [
        ("known_subjects", 0.5, False),
        ("known_subjects", 1, True),
        ("known_subjects", 2, True),
        ({"active_in": "10h"}, 2, False),
        ({"in_segment": "other"}, 2, False),
    ],
)
def test_without_an_open_purpose_only_being_known_can_be_told(
    told: Told, population: Any, at: float, belongs: bool
) -> None:
    other = {"segment": "other", "purpose": "asked", "when": {"did": {"event": "buy"}}}
    found = told(at, event(1, "ann"), event(0, "abe"), purpose="asked", segments=[other], segment={"population": population})
    assert (found["population"], found["purpose_open"]) == (belongs, False)


@pytest.mark.parametrize(
    ("population", "belongs"),
    [
        ("known_subjects", {0.5: False, 1: True, 11: True}),
        ({"active_in": "10h"}, {0.5: False, 1: True, 10.5: True, 11: False}),
        ({"in_segment": "other"}, {1: False, 1.5: True}),
    ],
)
def test_with_an_open_purpose_the_population_is_that_of_the_segment(
    told: Told, population: Any, belongs: dict[float, bool]
) -> None:
    other = {"segment": "other", "purpose": "free", "when": {"property": {"plan": "= 'look'"}}}
    facts = (event(0, "abe", "look"), event(1, "ann"), lives(1.5, "ann", plan="look"))
    found = {at: told(at, *facts, segments=[other], segment={"population": population})["population"] for at in belongs}
    assert found == belongs


@pytest.mark.parametrize(
    ("at", "who", "ids", "into"),
    [
        (4, "phone", None, None),
        (4, "zoe", None, None),
        (5, "phone", ["phone", "zoe"], "zoe"),
        (5, "zoe", ["phone", "zoe"], None),
        (8, "phone", None, None),
    ],
)
def test_ids_that_are_one_are_named_and_who_was_merged_into_whom(
    told: Told, at: float, who: str, ids: list[str] | None, into: str | None
) -> None:
    others = (link(0, "tv", "una"), event(3, "ann"))
    facts = (event(1, "phone"), link(5, "phone", "zoe"), event(2, "zoe"), undo(8, "phone"), *others)
    found = told(at, *facts, when=TWICE, who=who)
    assert (found.get("ids"), found.get("merged_into")) == (ids, into)
    assert ("ids" in found, "merged_into" in found) == (ids is not None, ids is not None)


def test_the_survivor_is_told_the_events_of_both_and_the_merged_id_is_in_no_population(told: Told) -> None:
    facts = (event(1, "phone"), event(2, "zoe"), link(5, "phone", "zoe"))
    assert decided(told(6, *facts, when=TWICE, who="zoe")["tree"]) == ["buy-1", "buy-2"]
    assert told(6, *facts, when=TWICE, who="zoe")["population"]
    merged = told(6, *facts, when=TWICE, who="phone")
    assert (merged["population"], merged["purpose_open"], merged["member"]) == (False, False, False)
    assert told(4, *facts, when=TWICE, who="phone")["population"]


def test_where_nobody_was_ever_linked_no_ids_are_told(told: Told) -> None:
    assert "ids" not in told(2, event(1, "ann"))
