"""Definitions are data: whatever they hold, they end in one expression over quoted names, or in a problem."""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.definitions.comparison import Comparison
from schemas.definitions.expression import FIELD_FUNCTIONS, Expression
from schemas.definitions.name import parse_name
from schemas.definitions.yaml import read_yaml
from tests.support.tiny_language import FILES, problems, segment

PIECES = (
    "a", "b.c", '"x"', '"', "'", "''", "'x'", ";", "--", "/*", "*/", "(", ")", ",", "=", "<", "!=", "and", "or", "not", "in", "is", "null", "between",
    "select", "from", "union", "drop table x", "1", "1e9", "0x1", ".", "*", "::", "cast", "as", "int", "case", "when", "then", "end", "lower", "now()",
    "read_csv('/etc/passwd')", "attach", "pragma", "copy", "$1", "?", "@", "#1", "{", "}", "[", "]", "->", "||", "\\", "\n", "\t", "\x00", "é", "\u202e", "𝕏",
    "exists", "all", "any", "over", "filter", "lambda", ":=", "true", "interval", "date", "E'\\''", "$$", "current_user", "getenv('X')", "%", "~", "like", "glob",
)  # fmt: skip
TOKEN = re.compile(
    r"""\s+ | '(?:[^']|'')*' | "(?:[^"]|"")+" | [0-9]+(?:\.[0-9]*)? | [(),] | <> | <= | >= | [=<>+*/%-]
      | (?:AND|OR|NOT|IN|IS|NULL|BETWEEN|CASE|WHEN|THEN|ELSE|END|CAST|AS|TRUE|FALSE|VARCHAR|BIGINT|DOUBLE|BOOLEAN|DATE|TIMESTAMP|WITH|TIME|ZONE|DECIMAL)\b
      | (?:FUNCTIONS)(?=\() """.replace("FUNCTIONS", "|".join(FIELD_FUNCTIONS)),
    re.VERBOSE,
)


SOUND = (
    "a = 1 and b in ( 'x' , 'y' )", "lower ( a ) = 'x' or not b is null", "a between 1 and 2 and \"b c\" <> 'it''s'",
    "coalesce ( a , - 1 ) < 0.5", "starts_with ( substr ( a , 1 , 3 ) , 'x' )", "( a = 1 or b = 2 ) and c", "nullif ( a , 'x' ) is not null",
)  # fmt: skip


def is_closed(sql: str) -> bool:
    """Whether SQL holds nothing but quoted names, literals, operators, known words and known functions."""
    at, depth = 0, 0
    while at < len(sql):
        found = TOKEN.match(sql, at)
        if found is None:
            return False
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        at = found.end()
        if depth < 0:
            return False
    return depth == 0


def texts(count: int) -> list[str]:
    dice = random.Random(20260105)
    return [" ".join(dice.choice(PIECES) for _ in range(dice.randrange(1, 12))) for _ in range(count)]


def outcome(read: Callable[..., Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError as refused:
        assert refused.type.startswith("SEG-")
        return None


def test_a_thousand_hostile_conditions_are_refused_or_closed() -> None:
    read = [outcome(Expression.parse, text) for text in texts(1_000)]
    assert all(is_closed(one.sql) for one in read if one) and any(read)


@pytest.mark.parametrize("read", [Expression.parse, Expression.parse_field])
def test_a_thousand_expressions_with_something_foreign_in_them_are_refused_or_one_select(read: Callable[..., Any]) -> None:
    dice, found = random.Random(7), 0
    for _ in range(1_000):
        words = dice.choice(SOUND).split(" ")
        words.insert(dice.randrange(len(words) + 1), dice.choice(PIECES))
        one = outcome(read, dice.choice(["", " "]).join(words) if dice.random() < 0.2 else " ".join(words))
        found += one is not None
        assert one is None or (is_closed(one.sql) and len(duckdb.extract_statements(f"SELECT {one.sql}")) == 1)
    assert found > 50


def test_a_thousand_hostile_fields_are_refused_or_closed() -> None:
    read = [outcome(Expression.parse_field, text) for text in texts(1_000)]
    assert all(is_closed(one.sql) for one in read if one) and any(read)


@settings(max_examples=300)
@given(st.text())
def test_any_text_is_refused_or_closed(text: str) -> None:
    for read in (Expression.parse, Expression.parse_field):
        found = outcome(read, text)
        assert found is None or is_closed(found.sql)


@settings(max_examples=300)
@given(st.text())
def test_any_text_inside_quotes_stays_inside(text: str) -> None:
    name, literal = text.replace('"', '""'), text.replace("'", "''")
    found = outcome(Expression.parse, f"\"{name}\" = '{literal}'")
    assert found is None or (is_closed(found.sql) and found.columns == {text})


@settings(max_examples=300)
@given(st.text())
def test_any_text_is_a_comparison_or_refused(text: str) -> None:
    outcome(Comparison.parse, text)
    outcome(parse_name, text)


def test_a_thousand_hostile_comparisons_are_read_or_refused() -> None:
    assert any(outcome(Comparison.parse, text) for text in texts(1_000))


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_problems(content: bytes) -> None:
    document, found = read_yaml(content, "a.yaml")
    assert document is not None or found


VALUES = (
    "",
    "~",
    "x",
    "3",
    "-1",
    "1.5",
    "true",
    "[]",
    "{}",
    "[1]",
    "{a: 1}",
    "[[[]]]",
    "'\\0'",
    '"\\u202e"',
    "7d",
    "NO",
    "<<",
    "2026-02-30",
    "99999999999999999999999999999999999999999999",
)


@pytest.mark.parametrize("file", sorted(FILES))
def test_any_value_at_any_key_is_accepted_or_told(tmp_path: Path, file: str) -> None:
    """Each key's value is replaced by each odd value: the answer is always a project or a report."""
    key = re.compile(r"(?<=[\w\]}'\"]: )[^,{}\[\]\n]+|(?<=[\w]: )[{\[].*[}\]]")
    name = file.removesuffix(".yaml").replace("/", "_")
    for found in key.finditer(FILES[file]):
        for value in VALUES:
            changed = FILES[file][: found.start()] + value + FILES[file][found.end() :]
            assert all(problem.file for problem in problems(tmp_path, **{name: changed}))


@pytest.mark.parametrize(
    "when",
    [
        "{not: " * 14 + "{did: {event: x}}" + "}" * 14,
        "{not: " * 40 + "{did: {event: x}}" + "}" * 40,
        "{not: " * 5_000 + "{did: {event: x}}" + "}" * 5_000,
        "{all: [" + ", ".join(["{did: {event: x}}"] * 3_000) + "]}",
        "{did: {event: x, where: \"" + "(" * 500 + "a" + ")" * 500 + "\"}}",
        "{did: {event: x, where: '" + " or ".join(["items = 1"] * 300) + "'}}",
        "{did: {event: [" + ", ".join(f"e{n}" for n in range(3_000)) + "]}}",
        "{did: {event: x, count: '" + "(" * 500 + "> 1" + ")" * 500 + "'}}",
        "&a {not: *a}",
    ],
    ids=lambda when: when[:30],
)  # fmt: skip
def test_depth_and_size_end_in_a_report_and_not_in_a_crash(tmp_path: Path, when: str) -> None:
    assert len(problems(tmp_path, segments_new=segment(when))) <= 2
