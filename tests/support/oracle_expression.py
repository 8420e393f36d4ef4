"""`where`, `having` and comparisons, evaluated naively on the syntax tree (semantics 3.1, 3.2, 3.4).

Three-valued: a null operand makes a comparison unknown (None); only `is [not] null` never is.
Exact: int, Decimal and Fraction compare as rationals; a float only ever comes from a column of type float.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp

from tests.support.oracle_model import Truth, kleene_all, kleene_any, kleene_not, round_half_away, to_instant

Row = Mapping[str, object]


def evaluate(sql: str, row: Row) -> object:
    """The value of an SQL expression over one row; an absent column is null (2.8)."""
    return _value(_parsed(sql), row)


def matches(where: str | None, row: Row) -> bool:
    """3.4: null is not a match."""
    return where is None or evaluate(where, row) is True


def satisfies(value: object, comparison: object) -> Truth:
    """Whether a value satisfies a comparison such as ">= 3", "IN ('a', 'b')", 5 or "is null"."""
    return _truth(evaluate(_comparison_sql(comparison), {"x": value}))


def has_percent(comparison: object) -> bool:
    """5.7: a change in percent is written so."""
    return isinstance(comparison, str) and "%" in comparison


@lru_cache(maxsize=4096)
def _parsed(sql: str) -> Any:
    return sqlglot.parse_one(sql)


# --- Comparisons: the column is put before each operator that has no left side ----------------------------------------

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\s*(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*%?"
    r"|(?P<op><=|>=|<>|!=|=|<|>)|(?P<punct>[(),])|(?P<word>[A-Za-z_]+))"
)


def _comparison_sql(comparison: object) -> str:
    """A bare number or boolean means equality (3.2); text is the little language of interface.md."""
    if isinstance(comparison, bool):
        return f"x = {'true' if comparison else 'false'}"
    if isinstance(comparison, int | Decimal):
        return f"x = {comparison}"
    if isinstance(comparison, float):
        return f"x = {comparison!r}"
    if isinstance(comparison, str):
        return _comparison_text(comparison)
    raise ValueError(f"not a comparison: {comparison!r}")


@lru_cache(maxsize=4096)
def _comparison_text(text: str) -> str:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ValueError(f"not a comparison: {text!r}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    sql, rest = _alternatives(tokens)
    if rest:
        raise ValueError(f"not a comparison: {text!r}")
    return sql


_Tokens = list[tuple[str, str]]


def _word(tokens: _Tokens, *words: str) -> bool:
    return bool(tokens) and tokens[0][1].upper() in words and tokens[0][0] in ("word", "punct")


def _chain(tokens: _Tokens, word: str, part: Callable[[_Tokens], tuple[str, _Tokens]]) -> tuple[str, _Tokens]:
    sql, tokens = part(tokens)
    while _word(tokens, word):
        following, tokens = part(tokens[1:])
        sql = f"{sql} {word} {following}"
    return sql, tokens


def _alternatives(tokens: _Tokens) -> tuple[str, _Tokens]:
    return _chain(tokens, "OR", _conjunction)


def _conjunction(tokens: _Tokens) -> tuple[str, _Tokens]:
    return _chain(tokens, "AND", _one)


def _literal(tokens: _Tokens) -> tuple[str, _Tokens]:
    if not tokens:
        raise ValueError("a comparison ends early")
    kind, text = tokens[0]
    if kind == "word" and text.upper() in ("DATE", "TIMESTAMP"):
        return f"{text} {tokens[1][1]}", tokens[2:]
    if kind in ("string", "number") or text.upper() in ("TRUE", "FALSE", "NULL"):
        return text, tokens[1:]
    raise ValueError(f"not a literal: {text!r}")


def _one(tokens: _Tokens) -> tuple[str, _Tokens]:
    if tokens and tokens[0][0] == "op":
        literal, rest = _literal(tokens[1:])
        return f"x {tokens[0][1]} {literal}", rest
    if _word(tokens, "("):
        sql, rest = _alternatives(tokens[1:])
        if not _word(rest, ")"):
            raise ValueError("a parenthesis is not closed")
        return f"({sql})", rest[1:]
    if _word(tokens, "NOT"):
        sql, rest = _one(tokens[1:])
        return f"(NOT {sql})", rest
    if _word(tokens, "BETWEEN"):
        low, rest = _literal(tokens[1:])
        if not _word(rest, "AND"):
            raise ValueError("between needs AND")
        high, rest = _literal(rest[1:])
        return f"(x BETWEEN {low} AND {high})", rest
    if _word(tokens, "IN"):
        close = [text for _, text in tokens].index(")")
        return f"x IN {' '.join(text for _, text in tokens[1 : close + 1])}", tokens[close + 1 :]
    if _word(tokens, "IS"):
        end = 3 if _word(tokens[1:], "NOT") else 2
        return f"(x {' '.join(text for _, text in tokens[:end])})", tokens[end:]
    literal, rest = _literal(tokens)
    return f"x = {literal}", rest


# --- Values -----------------------------------------------------------------------------------------------------------


def _truth(value: object) -> Truth:
    if value is None or isinstance(value, bool):
        return value
    raise TypeError(f"not a boolean: {value!r}")


def _value(node: Any, row: Row) -> object:
    rule = _RULES.get(type(node))
    if rule is None:
        raise NotImplementedError(f"not in the language (3.4): {node.sql()}")
    return rule(node, row)


def _literal_value(node: Any, row: Row) -> object:
    if node.is_string:
        return node.this
    return int(node.this) if node.this.isdigit() else Decimal(node.this)


def _cast(node: Any, row: Row) -> object:
    text = _value(node.this, row)
    kind = node.to.this.name
    if not isinstance(text, str) or kind not in ("DATE", "TIMESTAMP", "TIMESTAMPTZ"):
        raise NotImplementedError(f"not in the language (3.4): {node.sql()}")
    return date.fromisoformat(text) if kind == "DATE" else _text_instant(text)


def _text_instant(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return to_instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _between(node: Any, row: Row) -> Truth:
    value = _value(node.this, row)
    low, high = _value(node.args["low"], row), _value(node.args["high"], row)
    return kleene_all([_ordered(value, low, lambda c: c >= 0), _ordered(value, high, lambda c: c <= 0)])


def _in(node: Any, row: Row) -> Truth:
    value = _value(node.this, row)
    return kleene_any([_ordered(value, _value(item, row), lambda c: c == 0) for item in node.expressions])


def _is(node: Any, row: Row) -> bool:
    wanted = None if isinstance(node.expression, exp.Null) else _value(node.expression, row)
    return _value(node.this, row) is wanted


def _compare(test: Callable[[int], bool]) -> Callable[[Any, Row], Truth]:
    return lambda node, row: _ordered(_value(node.this, row), _value(node.expression, row), test)


def _ordered(left: object, right: object, test: Callable[[int], bool]) -> Truth:
    """A comparison with null is unknown, `!=` too (3.2)."""
    if left is None or right is None:
        return None
    return test(order(left, right))


def order(left: Any, right: Any) -> int:
    """-1, 0 or 1. Strings by bytes (3.4), numbers exactly (4.3); different types are refused at load."""
    if isinstance(left, bool) or isinstance(right, bool):
        if not (isinstance(left, bool) and isinstance(right, bool)):
            raise TypeError(f"different types: {left!r}, {right!r}")
    elif isinstance(left, str) and isinstance(right, str):
        left, right = left.encode(), right.encode()
    elif isinstance(left, date) or isinstance(right, date):
        left, right = (date.fromisoformat(v) if isinstance(v, str) else v for v in (left, right))
    elif isinstance(left, str) != isinstance(right, str):
        # A timestamp column against text: the text is an instant.
        left, right = (_text_instant(v) if isinstance(v, str) else v for v in (left, right))
    elif isinstance(left, float) or isinstance(right, float):
        # A literal beside a float column is a float.
        left, right = (v if isinstance(v, int) else float(v) for v in (left, right))
    else:
        left, right = (Fraction(v) if isinstance(v, Decimal) else v for v in (left, right))
    return int(left > right) - int(left < right)


def _arithmetic(apply: Callable[[Any, Any], object]) -> Callable[[Any, Row], object]:
    def rule(node: Any, row: Row) -> object:
        left: Any = _value(node.this, row)
        right: Any = _value(node.expression, row)
        if left is None or right is None:
            return None
        if isinstance(left, float) or isinstance(right, float):
            return apply(float(left), float(right))
        return apply(Fraction(left), Fraction(right))

    return rule


def _strict(apply: Callable[..., object]) -> Callable[[Any, Row], object]:
    """A function that is null where any of its arguments is."""

    def rule(node: Any, row: Row) -> object:
        parts = (node.args.get(name) for name in ("this", "expression", "start", "length", "decimals"))
        values = [_value(part, row) for part in parts if part is not None]
        return None if any(value is None for value in values) else apply(*values)

    return rule


def _substr(text: str, start: int, length: int | None = None) -> str:
    """3.4: counts from 1; what lies before the first character is empty but counted, as in standard SQL."""
    end = len(text) + 1 if length is None else start + max(length, 0)
    return text[max(start, 1) - 1 : max(end, 1) - 1]


def _round(value: Any, digits: int = 0) -> object:
    """3.4: half away from zero."""
    if isinstance(value, int):
        return int(round_half_away(Decimal(value), digits))
    if isinstance(value, float):
        return float(round_half_away(Decimal(value), digits))
    return round_half_away(value, digits)


def _contains(text: Any, part: Any) -> bool:
    return part in text


def _coalesce(node: Any, row: Row) -> object:
    for part in (node.this, *node.expressions):
        value = _value(part, row)
        if value is not None:
            return value
    return None


def _nullif(node: Any, row: Row) -> object:
    value, other = _value(node.this, row), _value(node.expression, row)
    return None if _ordered(value, other, lambda c: c == 0) is True else value


def _negated(node: Any, row: Row) -> object:
    value: Any = _value(node.this, row)
    return None if value is None else -value


_RULES: dict[Any, Callable[[Any, Row], object]] = {
    exp.Paren: lambda node, row: _value(node.this, row),
    exp.And: lambda n, row: kleene_all([_truth(_value(n.this, row)), _truth(_value(n.expression, row))]),
    exp.Or: lambda n, row: kleene_any([_truth(_value(n.this, row)), _truth(_value(n.expression, row))]),
    exp.Not: lambda node, row: kleene_not(_truth(_value(node.this, row))),
    exp.EQ: _compare(lambda c: c == 0),
    exp.NEQ: _compare(lambda c: c != 0),
    exp.LT: _compare(lambda c: c < 0),
    exp.LTE: _compare(lambda c: c <= 0),
    exp.GT: _compare(lambda c: c > 0),
    exp.GTE: _compare(lambda c: c >= 0),
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.Column: lambda node, row: row.get(node.name),
    exp.Literal: _literal_value,
    exp.Boolean: lambda node, row: bool(node.this),
    exp.Null: lambda node, row: None,
    exp.Neg: _negated,
    exp.Cast: _cast,
    exp.Add: _arithmetic(lambda a, b: a + b),
    exp.Sub: _arithmetic(lambda a, b: a - b),
    exp.Mul: _arithmetic(lambda a, b: a * b),
    exp.Lower: _strict(lambda text: text.lower()),
    exp.Upper: _strict(lambda text: text.upper()),
    exp.Length: _strict(len),
    exp.Substring: _strict(_substr),
    exp.Abs: _strict(abs),
    exp.Round: _strict(_round),
    exp.Contains: _strict(_contains),
    exp.ArrayContains: _strict(_contains),
    exp.StartsWith: _strict(lambda text, start: text.startswith(start)),
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
}
