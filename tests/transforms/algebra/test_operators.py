"""What each operator and aggregate takes and refuses at load, and which events `explain` says decided."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from schemas.definitions.aggregate import Aggregate, AnyAggregate
from schemas.definitions.catalog import read_project
from schemas.definitions.datatype import DataType
from schemas.definitions.node import AnyNode, Node
from schemas.errors import DefinitionErrors
from tests.support.histories import Shard
from tests.support.oracle_model import DAY, HOUR, Event, World
from tests.support.worlds import language, write_project
from transforms.algebra.aggregates import AGGREGATES
from transforms.algebra.explain import explain
from transforms.algebra.order import FOREVER
from transforms.algebra.state import facts_of

NODE: TypeAdapter[Node] = TypeAdapter(AnyNode)
AGGREGATE: TypeAdapter[Aggregate] = TypeAdapter(AnyAggregate)
START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z, a Monday


def refused(adapter: TypeAdapter[Any], value: Any) -> list[str]:
    with pytest.raises(ValidationError) as found:
        adapter.validate_python(value, context=language().context("UTC"))
    return [error["type"] for error in found.value.errors()]


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ({"did": {"event": "a", "count": True}}, ["SEG-0207"]),
        ({"did": {"event": "a", "count": "= 'many'"}}, ["SEG-0207"]),
        ({"trend": {"feature": "g.n", "this": "7d", "vs": "7d", "change": "= 'less'"}}, ["SEG-0207"]),
        ({"nth": {"event": "a"}}, ["missing"]),
        ({"nth": {"event": "a", "n": 0}}, ["greater_than_equal"]),
        ({"nth": {"event": "a", "n": 1, "missing": True}}, ["SEG-0108"]),
        ({"last": {"event": "a"}}, ["missing"]),
        ({"regularly": {"event": "a", "at_least": 5, "of_last": 4, "period": "week"}}, ["SEG-0103"]),
        ({"regularly": {"event": "a", "at_least": 1, "of_last": 4, "period": "fortnight"}}, ["literal_error"]),
        ({"sequence": {"steps": ["a"]}}, ["too_short"]),
        ({"sequence": {"steps": ["a"] * 11}}, ["SEG-0103"]),
        ({"sequence": {"steps": ["a"] * 7, "order": "any"}}, ["SEG-0103"]),
        ({"inaction": {"after": "a", "not": "b", "for": "1d", "within": "1d"}}, ["SEG-0103"]),
        ({"stopped": {"event": "a", "active": "0d", "quiet": "1d"}}, ["SEG-0109"]),
        ({"lifecycle": {"event": "a", "period": "7d", "in": []}}, ["SEG-0115"]),
        ({"lifecycle": {"event": "a", "period": "7d", "in": ["new", "new"]}}, ["SEG-0115"]),
        ({"lifecycle": {"event": "a", "period": 7, "in": ["new"]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "within_km": 5}}, ["SEG-0101"]),
        ({"geo": {"event": "a", "within_km": 5, "of": [91, 0]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "within_km": -1, "of": [9, 0]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "within_km": True, "of": [9, 0]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "within_km": 1, "of": [9]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "within_km": 1, "of": [9, "east"]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "within_km": 1, "of": [9, True]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "within_km": 1, "of": [9, 181]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "within_km": 1, "of": [-91, 0]}}, ["SEG-0103"]),
        ({"geo": {"event": "a", "of": [9, 0]}}, ["SEG-0101"]),
        ({"geo": {"event": "a"}}, ["SEG-0101"]),
        ({"geo": {"event": "a", "within_km": 1, "of": [9, 0], "polygon": "lists/a.geojson"}}, ["SEG-0101"]),
    ],
)
def test_what_no_operator_takes_is_refused(value: dict[str, Any], codes: list[str]) -> None:
    assert refused(NODE, value) == codes


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ({"name": "n", "op": "percentile", "of": "x"}, ["missing"]),
        ({"name": "n", "op": "percentile", "of": "x", "p": 90}, ["SEG-0103"]),
        ({"name": "n", "op": "percentile", "of": "x", "p": -1}, ["SEG-0103"]),
        ({"name": "n", "op": "percentile", "of": "x", "p": True}, ["SEG-0103"]),
        ({"name": "n", "op": "percentile", "of": "x", "p": "half"}, ["SEG-0103"]),
        ({"name": "n", "op": "top_k", "of": "x", "k": 0}, ["greater_than_equal"]),
        ({"name": "n", "op": "list", "of": "x"}, ["missing"]),
        ({"name": "n", "op": "share", "of": "x", "value": [1]}, ["SEG-0103"]),
    ],
)
def test_what_no_aggregate_takes_is_refused(value: dict[str, Any], codes: list[str]) -> None:
    assert refused(AGGREGATE, value) == codes


@pytest.mark.parametrize("op", sorted(name for name, one in AGGREGATES.items() if one.takes_column))
def test_no_aggregate_takes_a_list(op: str) -> None:
    more = {"percentile": {"p": Decimal("0.5")}, "list": {"n": 1}, "top_k": {"k": 1}, "share": {"value": 1}}
    one = AGGREGATE.validate_python({"name": "n", "op": op, "of": "x", **more.get(op, {})}, context=language().context("UTC"))
    with pytest.raises(PydanticCustomError) as found:
        one.result_type(DataType.parse("list(int)"))
    assert found.value.type == "SEG-0208"


@pytest.mark.parametrize("op", ["sum", "mean", "variance"])
def test_decimals_of_up_to_18_digits_are_added_up_and_longer_ones_are_not(op: str) -> None:
    one = AGGREGATE.validate_python({"name": "n", "op": op, "of": "x"}, context=language().context("UTC"))
    assert one.result_type(DataType.parse("decimal(18,2)")).is_number
    with pytest.raises(PydanticCustomError):
        one.result_type(DataType.parse("decimal(19,2)"))


@pytest.mark.parametrize(
    "when", [{"bucket": {"salt": "s", "range": [0, 50]}}, {"list": {"file": "l.csv", "column": "c"}}, {"in_segment": "other"}]
)
def test_where_events_have_no_part_a_subject_without_any_may_be_a_member_or_not(when: dict[str, Any]) -> None:
    assert NODE.validate_python(when, context=language().context("UTC")).of_nothing() == {True, False}


def world(when: dict[str, Any], *events: Event, **more: Any) -> World:
    numbers = [
        {"name": "spent", "op": "sum", "of": "amount", "windows": ["7d"]},
        {"name": "largest", "op": "max", "of": "amount", "windows": ["7d"]},
        {"name": "rough", "op": "max", "of": "lat", "windows": ["7d"]},
        {"name": "kind", "op": "last", "of": "cat", "windows": ["7d"]},
    ]
    properties = {"amount": "decimal(8,2)", "lat": "float", "lon": "float", "cat": "string", "tags": "list(string)"}
    defined = {
        "timezone": "UTC",
        "purposes": [{"id": "p", "basis": "legitimate_interest"}],
        "sources": {"e1": {"kind": "events", "properties": properties}},
        "features": [{"features": "g", "purpose": "p", "source": {"event": "a"}, "aggregates": numbers}],
        "segments": [{"segment": "s", "purpose": "p", "when": when}],
    }
    return World({**defined, **more}, events)


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ({"trend": {"feature": "g.kind", "this": "7d", "vs": "7d", "change": "> 0"}}, "SEG-0208"),
        ({"trend": {"feature": "g.rough", "this": "7d", "vs": "7d", "change": "> 0"}}, "SEG-0208"),
        ({"trend": {"feature": "g.largest", "this": "7d", "vs": "6d", "change": "> 0"}}, "SEG-0103"),
        ({"trend": {"feature": "g.spent_7d", "this": "7d", "vs": "7d", "change": "> 0"}}, "SEG-0303"),
        ({"geo": {"event": "a", "within_km": 5, "of": [1, 1], "lat": "cat"}}, "SEG-0208"),
        ({"geo": {"event": "a", "within_km": 5, "of": [1, 1], "lat": "latt"}}, "SEG-0304"),
        ({"geo": {"event": "a", "polygon": "lists/none.geojson"}}, "SEG-0402"),
        ({"sequence": {"steps": ["a", "b"], "bind": ["cart"]}}, "SEG-0304"),
        ({"sequence": {"steps": ["a", "b"], "bind": ["tags"]}}, "SEG-0208"),
        ({"inaction": {"after": "a", "not": "b", "for": "1d", "bind": ["tags"]}}, "SEG-0208"),
        ({"last": {"event": "a", "having": "amuont > 3"}}, "SEG-0304"),
        ({"did": {"event": "a", "window": {"since": {"event": "b", "where": "amuont > 3"}}}}, "SEG-0304"),
    ],
)
def test_what_does_not_fit_the_project_is_refused_at_its_place(tmp_path: Path, when: dict[str, Any], code: str) -> None:
    write_project(tmp_path, world(when))
    with pytest.raises(DefinitionErrors) as found:
        read_project(tmp_path, language())
    assert [(problem.code, problem.file) for problem in found.value.problems] == [(code, "segments/s.yaml")]


def seen(number: int, name: str, hours: int, **said: Any) -> Event:
    return Event("e1", "ann", f"i{number}", name, START + hours * HOUR, START + hours * HOUR, said)


VISITS = (seen(1, "a", 0, cat="x"), seen(2, "b", 2, cat="x"), seen(3, "a", 5, cat="y"), seen(4, "c", 30, lat=1.0, lon=1.0))
DECIDED: tuple[tuple[dict[str, Any], bool, list[str]], ...] = (
    ({"nth": {"event": "a", "n": 2}}, True, ["i1", "i3"]),
    ({"last": {"event": "a", "having": "cat = 'y'"}}, True, ["i3"]),
    ({"context": {"where": "event = 'a'"}}, False, ["i4"]),
    ({"stopped": {"event": "a", "active": "30h", "quiet": "6h"}}, True, ["i1", "i3"]),
    ({"restarted": {"event": "any", "active": "7h", "quiet": "10h"}}, True, ["i1", "i2", "i3", "i4"]),
    ({"lifecycle": {"event": "a", "period": "24h", "in": ["dormant"]}}, True, ["i1", "i3"]),
    ({"regularly": {"event": "a", "at_least": 1, "of_last": 1, "period": "day"}}, True, ["i1", "i3"]),
    ({"sequence": {"steps": ["a", "b"], "bind": ["cat"]}}, True, ["i1", "i2"]),
    ({"sequence": {"steps": ["a", "c"], "unless": "b"}}, True, ["i3", "i4"]),
    ({"inaction": {"after": "a", "not": "b", "for": "3h", "bind": ["cat"]}}, True, ["i3"]),
    ({"trend": {"feature": "g.spent", "this": "24h", "vs": "24h", "change": "< 0"}}, False, ["i1", "i3"]),
    ({"geo": {"event": "any", "within_km": 5, "of": [1, 1]}}, True, ["i4"]),
    ({"did": {"event": "any", "window": {"session": {"gap": "12h"}}}}, True, ["i4"]),
    ({"did": {"event": "any", "window": {"since": "b"}, "count": ">= 3"}}, True, ["i2", "i3", "i4"]),
)


@pytest.mark.parametrize(("when", "member", "decided"), DECIDED)
def test_explain_names_the_events_that_decide(
    tmp_path: Path, when: dict[str, Any], member: bool, decided: list[str]
) -> None:
    shard = Shard.of(tmp_path, world(when, *VISITS)).step(VISITS, START + 3 * DAY)
    project = shard.program.project
    facts = facts_of(shard.state, pa.array([0]).to_numpy(), FOREVER, project)
    names = pa.array([event.event for event in VISITS])
    events = shard.state.facts["events"].select(["source", "event_id", "occurred_at"]).append_column("event", names)
    told = explain(project.segments["s"], facts, events, START + 30 * HOUR, "ann")
    assert told["member"] == member
    assert sorted(one["event_id"] for one in told["tree"]["decided_by"]) == decided


NUMBERS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        {"trend": {"feature": "g.spent", "this": "24h", "vs": "24h", "change": "<= -50%"}},
        {"value": -0.75, "compared": "<= -50%", "this": 2.5, "vs": 10.0},
    ),
    (
        {"trend": {"feature": "g.spent", "this": "24h", "vs": "48h", "change": "< 0"}},
        {"value": -2.5, "compared": "< 0", "this": 2.5, "vs": 10.0},
    ),
    (
        {"regularly": {"event": "a", "at_least": 2, "of_last": 2, "period": "day"}},
        {"value": 1, "compared": ">= 2", "distance": -1},
    ),
)


@pytest.mark.parametrize(("when", "numbers"), NUMBERS)
def test_explain_tells_the_numbers(tmp_path: Path, when: dict[str, Any], numbers: dict[str, Any]) -> None:
    spent = (seen(1, "a", 1, amount=Decimal("10.00")), seen(2, "a", 30, amount=Decimal("2.50")))
    shard = Shard.of(tmp_path, world(when, *spent)).step(spent, START + 3 * DAY)
    project = shard.program.project
    facts = facts_of(shard.state, pa.array([0]).to_numpy(), FOREVER, project)
    events = shard.state.facts["events"].select(["source", "event_id", "occurred_at"])
    events = events.append_column("event", pa.array(["a", "a"]))
    told = explain(project.segments["s"], facts, events, START + 30 * HOUR, "ann")
    assert told["tree"]["numbers"] == numbers


def test_a_condition_may_hold_a_remark(tmp_path: Path) -> None:
    when = {"last": {"event": "a", "where": "amount > 1 -- not the samples", "having": "amount > 2 -- nor the cheap"}}
    spent = (seen(1, "a", 1, amount=Decimal("10.00")), seen(2, "a", 30, amount=Decimal("0.50")))
    shard = Shard.of(tmp_path, world(when, *spent)).step(spent, START + 3 * DAY)
    assert shard.believed() == {("s", "ann"): [(START + HOUR, None)]}


def test_zero_below_zero_is_zero(tmp_path: Path) -> None:
    when = {"sequence": {"steps": ["a", "b"], "bind": ["lat"]}}
    both = (seen(1, "a", 1, lat=0.0), seen(2, "b", 2, lat=-0.0))
    shard = Shard.of(tmp_path, world(when, *both)).step(both, START + 3 * DAY)
    assert shard.believed() == {("s", "ann"): [(START + 2 * HOUR, None)]}
