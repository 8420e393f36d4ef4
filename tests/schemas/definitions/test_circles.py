from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions.circles import ordered

NAMES = st.sampled_from("abcdef")


def test_what_is_referred_to_comes_first() -> None:
    assert ordered({"a": ["b", "c"], "b": ["c"], "c": [], "d": []}) == (("c", "d", "b", "a"), [])


def test_each_circle_is_told_once_from_its_smallest_name() -> None:
    assert ordered({"c": ["b"], "b": ["a"], "a": ["c"], "e": ["e"]})[1] == [("a", "c", "b"), ("e",)]


def test_a_long_chain_is_no_recursion() -> None:
    graph = {f"s{n:05}": [f"s{n + 1:05}"] if n < 5_000 else [] for n in range(5_001)}
    assert ordered(graph)[0][-1] == "s00000"


@given(st.dictionaries(NAMES, st.sets(NAMES)))
def test_without_circles_every_name_follows_those_it_refers_to(graph: dict[str, Any]) -> None:
    graph = {name: {other for other in others if other in graph} for name, others in graph.items()}
    order, circles = ordered(graph)
    assert sorted(order) == sorted(graph)
    if not circles:
        assert all(order.index(other) < order.index(name) for name, others in graph.items() for other in others)
