"""The syntax trees of SQL expressions: sqlglot's, with every function of its own switched off."""

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError

from schemas.definitions.refusal import refuse, show

LONGEST = 4_096
_QUOTES = "text in '...', a name in \"...\"; a quote within is written twice"
DEEPEST = 40


class _Plain(DuckDB):  # type: ignore[misc]
    """DuckDB's tokens and precedence, in which every function but `cast` is a name with arguments."""

    class Parser(DuckDB.Parser):  # type: ignore[misc]
        FUNCTIONS: dict[str, Any] = {}  # noqa: RUF012
        NO_PAREN_FUNCTIONS: dict[Any, Any] = {}  # noqa: RUF012
        NO_PAREN_FUNCTION_PARSERS = {"CASE": DuckDB.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]}  # noqa: RUF012
        FUNCTION_PARSERS = {"CAST": DuckDB.Parser.FUNCTION_PARSERS["CAST"]}  # noqa: RUF012


def syntax(text: str) -> Any:
    """The syntax tree of one expression. Raises ValueError."""
    if len(text) > LONGEST:
        raise refuse(
            "SEG-0203", "the expression is too long", expected=f"at most {LONGEST} characters", found=str(len(text))
        )
    if not text.strip():
        raise refuse("SEG-0200", "an empty expression", expected="an SQL expression")
    if any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text):
        raise refuse("SEG-0200", "the expression holds a character that is none", expected="text")
    try:
        tree = sqlglot.parse_one(text, dialect=_Plain, into=exp.Condition)
        if _depth(tree) > DEEPEST:
            raise RecursionError
        return tree
    except RecursionError:
        raise refuse("SEG-0203", "the expression is nested too deeply", expected=f"at most {DEEPEST} levels") from None
    except SqlglotError as error:
        if (opened := _open_quote(text)) is not None:
            message = f"the quote {text[opened]} is not closed"
            raise refuse("SEG-0200", message, expected=_QUOTES, found=show(text), offset=opened) from None
        raise refuse(
            "SEG-0200", "the expression can not be read", found=show(text), offset=_where(error, text)
        ) from None


def _open_quote(text: str) -> int | None:
    """Where a quote begins that has no end."""
    opened: int | None = None
    for at, character in enumerate(text):
        if opened is None and character in "'\"":
            opened = at
        elif opened is not None and character == text[opened]:
            opened = None
    return opened


def _where(error: SqlglotError, text: str) -> int | None:
    """The offset of a syntax error in a text of one line."""
    details = getattr(error, "errors", None) or [{}]
    column, highlight = details[0].get("col"), details[0].get("highlight") or ""
    return max(0, column - len(highlight)) if column and "\n" not in text else None


def _depth(tree: Any) -> int:
    """How deep a tree is, without recursion; a chain of AND or OR counts once, however long."""
    deepest, open_nodes = 0, [(tree, 1)]
    while open_nodes:
        node, depth = open_nodes.pop()
        deepest = max(deepest, depth)
        for child in node.iter_expressions():
            same = type(child) is type(node) and type(node) in (exp.And, exp.Or)
            open_nodes.append((child, depth if same else depth + 1))
    return deepest


def flat(node: Any) -> list[Any]:
    """The parts of a chain of one word, left to right, without recursion (chains lean left)."""
    parts, left = [], node
    while type(left) is type(node):
        parts.append(left.expression)
        left = left.this
    parts.append(left)
    return parts[::-1]


def given(node: Any) -> list[str]:
    """The names of the parts that a node really has."""
    return [name for name, part in node.args.items() if part not in (None, [], False)]


def start(node: Any) -> int | None:
    """Where a node begins in the text: the first token below it that knows."""
    starts = [leaf.meta["start"] for leaf in node.walk() if "start" in leaf.meta]
    return min(starts) if starts else None


def spelled(node: Any) -> str:
    """What a node is called in a message."""
    return type(node).__name__.upper()
