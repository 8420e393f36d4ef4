from decimal import Decimal
from typing import Any

import pytest

from schemas.definitions.yaml import DEEPEST, LARGEST, find, read_yaml


def data(text: str) -> dict[str, Any] | list[Any]:
    document, problems = read_yaml(text.encode(), "a.yaml")
    assert problems == []
    return document.data


def codes(content: bytes | str) -> list[str]:
    content = content.encode() if isinstance(content, str) else content
    return [f"{problem.code} {problem.line}:{problem.column}" for problem in read_yaml(content, "a.yaml")[1]]


def test_plain_scalars_are_numbers_booleans_null_or_text() -> None:
    assert data("[1, -2, 2.50, true, False, ~, null, '', x, '3']") == [
        1,
        -2,
        Decimal("2.50"),
        True,
        False,
        None,
        None,
        "",
        "x",
        "3",
    ]


@pytest.mark.parametrize(
    "text", ["NO", "yes", "on", "012", "0x1F", "1_000", "12:30:45", "2018-01-01", "1e3", ".5", "+.inf", "NaN"]
)
def test_what_yaml_once_resolved_stays_text(text: str) -> None:
    assert data(f"[{text}]") == [text]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: &x 1", ["SEG-0006 1:4"]),
        ("a: &x 1\nb: *x", ["SEG-0006 1:4", "SEG-0006 2:4"]),
        ("a: !!python/name:os.system x", ["SEG-0007 1:4"]),
        ("a: ! x", ["SEG-0007 1:4"]),
        ("<<: {a: 1}", ["SEG-0008 1:1"]),
        ("a: 1\nb: 2\na: 3", ["SEG-0005 3:1"]),
        ("a: 1\n'a': 2", ["SEG-0005 2:1"]),
        ("[a, b]: 1", ["SEG-0009 1:1"]),
        ("a: {b: 1, b: 2}\nc: *d", ["SEG-0005 1:11", "SEG-0006 2:4"]),
        ("", ["SEG-0010 0:0"]),
        ("# nothing\n", ["SEG-0010 0:0"]),
        ("a: 1\n---\nb: 2", ["SEG-0010 2:1"]),
        ("a: [1", ["SEG-0003 2:1"]),
        ("a: b: c", ["SEG-0003 1:5"]),
        ("\ta: 1", ["SEG-0003 1:1"]),
        ('a: "\\ud800"', ["SEG-0003 1:7"]),
        (b"a: \x00", ["SEG-0003 0:0"]),
        (b"a: 1\nb: \xff", ["SEG-0011 2:1"]),
        (b"\xff\xfea\x00", ["SEG-0011 1:1"]),
        (b"a" * (LARGEST + 1), ["SEG-0002 0:0"]),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_refused_where_it_stands(text: bytes | str, found: list[str]) -> None:
    assert codes(text) == found


@pytest.mark.parametrize("bomb", ["[" * 200_000, "{a: " * 100_000, "- " * 200_000, "? " * 200_000, "[" * 40 + "]" * 40])
def test_depth_is_refused_before_anything_recurses(bomb: str) -> None:
    assert codes(bomb)[-1].startswith("SEG-0004")


def test_as_deep_as_allowed_is_read() -> None:
    assert codes("[" * DEEPEST + "]" * DEEPEST) == []


def test_a_byte_order_mark_is_no_content() -> None:
    assert data("\ufeffa: 1") == {"a": 1}


def test_marks_name_values_and_keys() -> None:
    document, _ = read_yaml(b"a:\n  - {b: 'x y', c: 2}\n", "a.yaml")
    value, key = (
        document.problem("SEG-0100", "no", ("a", 0, "b")),
        document.problem("SEG-0100", "no", ("a", 0, "b"), of_key=True),
    )
    assert (value.line, value.column, key.line, key.column) == (2, 9, 2, 6)


def test_an_offset_counts_from_the_first_letter_of_the_text() -> None:
    document, _ = read_yaml("{über: 'x y'}".encode(), "a.yaml")
    assert document.problem("SEG-0100", "no", ("über",), offset=2).column == 11


@pytest.mark.parametrize("text", ["'it''s'", '"a\\tb"', "|\n  x", ">\n  x\n  y", "x\n  y"])
def test_where_text_and_file_differ_the_value_itself_is_named(text: str) -> None:
    document, _ = read_yaml(f"a: {text}\n".encode(), "a.yaml")
    assert document.problem("SEG-0100", "no", ("a",), offset=1).column == 4


def test_what_is_not_there_is_told_at_what_is() -> None:
    document, _ = read_yaml(b"a: {b: 1}", "a.yaml")
    assert document.problem("SEG-0101", "no", ("a", "c", "d")).column == 4


def test_find_names_the_first_place_of_a_text() -> None:
    value = {"a": [{"b": "x"}, "y"], "x": 1}
    assert (find(value, "y"), find(value, "b"), find(value, "z")) == (("a", 1), ("a", 0, "b"), None)
