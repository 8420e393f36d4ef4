from typing import Any

import pytest

from schemas.definitions.conditions import AT_ONCE, Conditions
from schemas.definitions.datatype import DataType
from schemas.definitions.expression import Expression

COLUMNS = {"a": DataType("int")}


class Engine:
    """Refuses every question that holds one of its words, and counts the questions."""

    def __init__(self, *words: str, kind: str = "bool") -> None:
        self.words, self.kind, self.asked = words, kind, 0

    def __call__(self, sql: str, columns: dict[str, Any]) -> DataType | None:
        self.asked += 1
        if any(word in sql for word in self.words):
            raise ValueError("too large a number")
        return DataType(self.kind)


def ask(engine: Engine, *texts: str) -> list[tuple[str, ...]]:
    told = []
    conditions = Conditions(COLUMNS, engine)
    for text in texts:
        conditions.add(Expression.parse(text), lambda error, text=text: told.append((text, error.type)))
    conditions.ask()
    return told


def test_many_conditions_are_one_question() -> None:
    engine = Engine()
    assert ask(engine, *(f"a = {n}" for n in range(AT_ONCE))) == [] and engine.asked == 1


def test_equal_conditions_are_asked_once_and_told_to_all() -> None:
    assert ask(Engine("= 7"), "a = 7", "a  =  7") == [("a = 7", "SEG-0209"), ("a  =  7", "SEG-0209")]


def test_the_ones_that_the_engine_means_are_found() -> None:
    texts = [f"a = {n}" for n in range(100, 150)]
    assert ask(Engine("= 107)", "= 142)"), *texts) == [("a = 107", "SEG-0209"), ("a = 142", "SEG-0209")]


def test_what_the_engine_calls_no_condition_is_none() -> None:
    assert ask(Engine(kind="int"), "a = 1") == [("a = 1", "SEG-0204")]


@pytest.mark.parametrize(("text", "code"), [("a", "SEG-0204"), ("a = 'x'", "SEG-0205")])
def test_what_our_own_types_refuse_is_not_asked(text: str, code: str) -> None:
    engine = Engine()
    assert ask(engine, text) == [(text, code)] and engine.asked == 0
