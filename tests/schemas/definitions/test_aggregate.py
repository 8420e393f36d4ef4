from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.definitions.aggregate import Aggregate, AnyAggregate
from tests.support.tiny_language import LANGUAGE, Count, Sum

AGGREGATE: TypeAdapter[Aggregate] = TypeAdapter(AnyAggregate)


def read(**value: Any) -> Count | Sum | None:
    return AGGREGATE.validate_python(value, context=LANGUAGE.context("UTC"))


def errors(**value: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as refused:
        read(**value)
    return [(error["type"], *error["loc"]) for error in refused.value.errors()]


def test_an_operation_is_found_by_its_name() -> None:
    assert isinstance(read(name="n", op="count"), Count) and isinstance(read(name="n", op="sum", of="x"), Sum)


def test_without_windows_it_counts_for_ever() -> None:
    assert [window.suffix for window in read(name="n", op="count").windows] == ["lifetime"]


def test_windows_are_named_by_their_length_or_by_as() -> None:
    windows = read(
        name="n", op="count", windows=["7d", {"between": ["90d", "30d"], "as": "before"}, {"last": "1h", "as": "hour"}]
    ).windows
    assert [window.suffix for window in windows] == ["7d", "before", "hour"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"name": "n"}, [("SEG-0101",)]),
        ({"name": "n", "op": "cuont"}, [("SEG-0107", "op")]),
        ({"name": "n", "op": ["count"]}, [("SEG-0107", "op")]),
        ({"name": "N", "op": "count"}, [("SEG-0104", "name")]),
        ({"name": "n", "op": "sum"}, [("SEG-0101",)]),
        ({"name": "n", "op": "count", "of": "x"}, [("SEG-0102",)]),
        ({"name": "n", "op": "count", "windows": []}, [("SEG-0115", "windows")]),
        ({"name": "n", "op": "count", "windows": ["7d", "7d"]}, [("SEG-0115", "windows")]),
        ({"name": "n", "op": "count", "windows": [{"session": {"gap": "1m"}}]}, [("SEG-0117", "windows", 0)]),
        ({"name": "n", "op": "count", "windows": [{"last": "7d", "as": "Seven"}]}, [("SEG-0104", "windows", 0)]),
        ({"name": "n", "op": "count", "widnows": ["7d"]}, [("extra_forbidden", "widnows")]),
        ({"name": "n", "op": "count", "expect": {"between": [5, 1]}}, [("SEG-0103", "expect", "between")]),
        ({"name": "n", "op": "count", "expect": {"in": []}}, [("SEG-0103", "expect", "in")]),
        ({"name": "n", "op": "count", "expect": {"nul": True}}, [("extra_forbidden", "expect", "nul")]),
    ],
)
def test_nothing_else_is_an_aggregate(value: dict[str, Any], found: list[tuple[Any, ...]]) -> None:
    assert errors(**value) == found


def test_an_expectation_says_in() -> None:
    assert read(name="n", op="count", expect={"in": [1, 2], "between": [0, 5], "not_null": True}).expect.among == (1, 2)


def test_the_meaning_is_neither_name_nor_window() -> None:
    assert read(name="n", op="count", windows=["7d"]).meaning() == read(name="m", op="count").meaning()
    assert read(name="n", op="sum", of="x").meaning() != read(name="n", op="sum", of="y").meaning()
