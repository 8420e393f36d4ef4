"""A few values stand for all: what none of them tells apart, no value does."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions.comparison import Comparison
from schemas.definitions.datatype import DataType
from schemas.definitions.lint.values import enough, truth_of

OPERATIONS = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
NUMBERS = st.integers(-3, 3)
WORDS = st.sampled_from(("", "a", "ab", "b", "a\x00"))


def compared(pairs: list[tuple[str, Any]]) -> list[Comparison]:
    written = [f"'{constant}'" if isinstance(constant, str) else str(constant) for _, constant in pairs]
    return [Comparison.parse(f"{op} {text}") for (op, _), text in zip(pairs, written, strict=True)]


def answers(comparisons: list[Comparison], value: Any) -> tuple[bool | None, ...]:
    return tuple(truth_of(one.tree, value) for one in comparisons)


def covers(kind: str, pairs: list[tuple[str, Any]], value: Any, is_count: bool = False) -> bool:
    comparisons = compared(pairs)
    few = enough([constant for _, constant in pairs], DataType.parse(kind), is_count)
    return answers(comparisons, value) in {answers(comparisons, one) for one in few}


@given(st.lists(st.tuples(OPERATIONS, NUMBERS), max_size=4), st.integers(0, 9))
def test_of_counts(pairs: list[tuple[str, int]], value: int) -> None:
    assert covers("int", pairs, value, is_count=True)


@given(st.lists(st.tuples(OPERATIONS, NUMBERS), max_size=4), st.decimals(-5, 5, places=2))
def test_of_decimals(pairs: list[tuple[str, int]], value: Decimal) -> None:
    assert covers("decimal(8,2)", pairs, value)


@given(st.lists(st.tuples(OPERATIONS, WORDS.filter(lambda text: "\x00" not in text)), max_size=4), st.text(max_size=3))
def test_of_texts(pairs: list[tuple[str, str]], value: str) -> None:
    assert covers("string", pairs, value)


def test_a_missing_value_makes_all_but_null_checks_unknown() -> None:
    assert answers([Comparison.parse(text) for text in ("> 1", "is null", "is not null", "not (= 1)")], None) == (
        *(None, True, False, None),
    )
