from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from schemas.definitions.node import AnyNode, expressions
from schemas.definitions.reference import EventReference
from tests.support.tiny_language import LANGUAGE, All, Did, Not


class Root(BaseModel):
    when: AnyNode


def read(value: Any) -> Any:
    return Root.model_validate({"when": value}, context=LANGUAGE.context("UTC")).when


def errors(value: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as refused:
        read(value)
    return [(error["type"], *error["loc"]) for error in refused.value.errors()]


def test_a_node_is_the_operator_of_its_one_key() -> None:
    node = read({"all": [{"did": {"event": "a"}}, {"not": {"did": {"event": "b"}}}]})
    assert [type(each) for each in node.walk()] == [All, Did, Not, Did]


@pytest.mark.parametrize("value", [None, 3, "did", [], {}, {"did": {"event": "a"}, "not": {"did": {"event": "a"}}}])
def test_what_is_no_mapping_of_one_key_is_no_node(value: Any) -> None:
    assert errors(value) == [("SEG-0105", "when")]


def test_an_unknown_operator_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError) as refused:
        read({"didd": {"event": "a"}})
    assert refused.value.errors()[0]["ctx"]["nearest"] == "did"


def test_all_mistakes_of_a_tree_are_told_with_their_paths() -> None:
    assert errors({"all": [{"did": {"evnt": "a"}}, {"nope": 1}, {"not": {"did": {"event": "a", "window": "7x"}}}]}) == [
        ("missing", "when", "all", "nodes", 0, "did", "event"),
        ("extra_forbidden", "when", "all", "nodes", 0, "did", "evnt"),
        ("SEG-0106", "when", "all", "nodes", 1, "nope"),
        ("SEG-0112", "when", "all", "nodes", 2, "not", "node", "did", "window"),
    ]


@pytest.mark.parametrize(("said", "missing"), [(True, True), (False, False), ("unknown", None)])
def test_missing_replaces_an_unknown_answer(said: bool | str, missing: bool | None) -> None:
    assert read({"property": {"country": "= 'DE'", "missing": said}}).missing is missing


@pytest.mark.parametrize("said", ["true", 1, None, "no", []])
def test_missing_is_true_false_or_unknown(said: Any) -> None:
    assert errors({"property": {"country": "= 'DE'", "missing": said}}) == [("SEG-0103", "when", "property", "missing")]


@pytest.mark.parametrize("said", [True, False, "unknown"])
def test_missing_is_refused_where_the_answer_is_never_unknown(said: bool | str) -> None:
    assert errors({"did": {"event": "a", "missing": said}}) == [("SEG-0108", "when", "did", "missing")]


def test_the_events_of_a_node_are_those_of_its_fields_and_its_window() -> None:
    node = read({"did": {"event": "a", "where": "x = 1", "window": {"since": "b"}}})
    assert [reference.events for reference in node.references().events] == [("a",), ("b",)]


def test_every_condition_of_a_node_is_found_where_it_stands() -> None:
    value = {"last": {"event": "a", "where": "b = 1", "having": "c = 1", "unless": {"event": "d", "where": "e = 1"}}}
    assert [(path, one.text) for path, one in expressions(read(value))] == [
        (("where",), "b = 1"), (("having",), "c = 1"), (("unless", "where"), "e = 1"),
    ]  # fmt: skip


def test_nodes_that_mean_the_same_are_equal_and_hash_alike() -> None:
    one, other = (
        read({"did": {"event": ["b", "a"], "window": "7d"}}),
        read({"did": {"event": ["a", "b"], "window": {"last": "1w"}, "count": ">= 1"}}),
    )
    assert one.meaning() == other.meaning() and one == other and len({one, other}) == 1


def test_what_differs_means_another_thing() -> None:
    values = [
        {"did": {"event": "a"}},
        {"did": {"event": "b"}},
        {"did": {"event": "a", "count": "> 1"}},
        {"not": {"did": {"event": "a"}}},
        {"did": {"event": "any"}},
    ]
    assert len({str(read(value).meaning()) for value in values}) == len(values)


def test_a_reference_has_no_condition_unless_it_says_so() -> None:
    assert read({"did": {"event": "a"}}).reference == EventReference(("a",))
