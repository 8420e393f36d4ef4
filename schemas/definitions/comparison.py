"""Comparisons: ">= 3", "between 2 and 5", "IN ('a', 'b')", "is null", and combinations by AND, OR and NOT."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import PlainValidator

from schemas.definitions.condition import (
    Compare,
    Condition,
    Constant,
    Either,
    Every,
    IsNull,
    Negation,
    compares,
    constant_for,
    convert,
    shift,
    write,
)
from schemas.definitions.datatype import DataType
from schemas.definitions.refusal import refuse, show
from schemas.definitions.takes import Takes

__all__ = [
    "AnyComparison",
    "Compare",
    "Comparison",
    "Condition",
    "Constant",
    "Either",
    "Every",
    "IsNull",
    "Negation",
    "PercentComparison",
    "constant_for",
]

LONGEST = 4_096
DEEPEST = 20
_EXPECTED = 'an operator and a constant, as in ">= 3", "between 2 and 5", "IN (\'a\', \'b\')", "is null"'
_TOKEN = re.compile(
    r"""\s*(?:(?P<op><=|>=|!=|<>|==|=|<|>)
      |(?P<number>[+-]?(?:[0-9]{1,38}(?:\.[0-9]{1,38})?|\.[0-9]{1,38})%?(?![\w.]))
      |(?P<text>'(?:[^'\x00]|'')*')
      |(?P<word>[A-Za-z]+)
      |(?P<mark>[(),]))""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Comparison:
    """A condition on one value.

    Attributes:
      tree: the condition.
      percent: whether its constants were written in percent; they are then fractions: `50%` is 0.5.
    """

    tree: Condition
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> "Comparison":
        """Read a comparison. Raises ValueError."""
        return _parse(text)

    @classmethod
    def equal(cls, constant: Constant) -> "Comparison":
        """The comparison that a bare constant stands for."""
        return cls(Compare("=", constant))

    @property
    def text(self) -> str:
        """The comparison in one normal form."""
        return write(self.tree, self.percent)

    @property
    def constants(self) -> tuple[Constant, ...]:
        """Every constant, left to right."""
        return tuple(compare.constant for compare in compares(self.tree))

    def check(self, type: DataType) -> None:  # noqa: A002
        """See that the constants fit a column's type. Raises ValueError."""
        if self.percent and not type.is_number:
            raise refuse("SEG-0207", f"percent can not be compared with {type}", expected=str(type), found=self.text)
        for compare in compares(self.tree):
            if type.kind == "bool" and compare.op not in ("=", "!="):
                raise refuse("SEG-0207", "a bool has no order", expected="= true, = false", found=self.text)
            compare.constant_for(type)

    def for_type(self, type: DataType, timezone: str = "UTC") -> "Comparison":  # noqa: A002
        """The same comparison with its constants in the terms of a column. Raises ValueError."""
        return replace(self, tree=convert(self.tree, type, timezone))


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


@lru_cache(maxsize=20_000)
def _parse(text: str) -> Comparison:
    if len(text) > LONGEST:
        raise refuse("SEG-0206", "the comparison is too long", expected=f"at most {LONGEST} characters")
    reader = _Reader(text, list(_tokens(text)))
    tree = reader.whole()
    if len(reader.percents) > 1:
        raise refuse(
            "SEG-0206",
            "percent and plain numbers in one comparison",
            expected="all in percent, or none",
            found=show(text),
        )
    return Comparison(tree, percent=reader.percents == {True})


def _tokens(text: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at, end)
        if found is None:
            raise refuse("SEG-0206", "the comparison can not be read", expected=_EXPECTED, found=show(text), offset=at)
        kind = str(found.lastgroup)
        word = found[kind].lower() if kind == "word" else found[kind]
        yield _Token(kind, word, found.start(kind))
        at = found.end()
    yield _Token("end", "", end)


class _Reader:
    """Reads tokens by descent: OR binds weakest, then AND, then NOT."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.percents: set[bool] = set()

    def whole(self) -> Condition:
        """The whole text as one condition."""
        if self._now().kind in ("number", "text") or self._is("true") or self._is("false"):
            tree: Condition = Compare("=", self._constant())
        else:
            tree = self._either(0)
        if self._now().kind != "end":
            raise self._unread()
        return tree

    def _either(self, depth: int) -> Condition:
        parts = [self._every(depth)]
        while self._take("or"):
            parts.append(self._every(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _every(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._take("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _one(self, depth: int) -> Condition:
        if depth > DEEPEST:
            raise refuse("SEG-0206", "the comparison is nested too deeply", expected=f"at most {DEEPEST} levels")
        if self._take("not"):
            return self._negated(depth)
        if self._take("("):
            inner = self._either(depth + 1)
            self._must(")")
            return inner
        return self._atom()

    def _negated(self, depth: int) -> Condition:
        if self._take("in"):
            return _every_of(Compare("!=", constant) for constant in self._list())
        return Negation(self._one(depth + 1))

    def _atom(self) -> Condition:
        if self._now().kind == "op":
            return self._compare()
        if self._take("between"):
            low = self._constant()
            self._must("and")
            return Every((Compare(">=", low), Compare("<=", self._constant())))
        if self._take("in"):
            return _either_of(Compare("=", constant) for constant in self._list())
        if self._take("is"):
            negated = self._take("not")
            self._must("null")
            return IsNull(negated)
        raise self._unread()

    def _compare(self) -> Condition:
        written = self._next().text
        op: Any = {"<>": "!=", "==": "="}.get(written, written)
        return Compare(op, self._constant())

    def _list(self) -> list[Constant]:
        self._must("(")
        constants = [self._constant()]
        while self._take(","):
            constants.append(self._constant())
        self._must(")")
        return constants

    def _constant(self) -> Constant:
        token = self._next()
        if token.kind == "text":
            return token.text[1:-1].replace("''", "'")
        if token.kind == "number":
            return self._number(token.text)
        if token.text in ("true", "false") and token.kind == "word":
            return token.text == "true"
        self.at -= 1
        raise self._unread()

    def _number(self, text: str) -> Constant:
        self.percents.add(text.endswith("%"))
        if text.endswith("%"):
            return shift(Decimal(text[:-1]), -2)
        return Decimal(text) if "." in text else int(text)

    def _now(self) -> _Token:
        return self.tokens[self.at]

    def _next(self) -> _Token:
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def _is(self, text: str) -> bool:
        return self._now().text == text and self._now().kind in ("word", "mark")

    def _take(self, text: str) -> bool:
        if not self._is(text):
            return False
        self.at += 1
        return True

    def _must(self, text: str) -> None:
        if not self._take(text):
            raise self._unread(f"`{text}`")

    def _unread(self, expected: str = _EXPECTED) -> ValueError:
        token = self._now()
        bare = token.kind == "word" and self.at == 0 and len(self.tokens) == 2
        if bare:
            expected = f"= '{show(self.text.strip())}'"
        message = "text without an operator" if bare else "the comparison can not be read"
        return refuse("SEG-0206", message, expected=expected, found=show(self.text), offset=token.start)


def _every_of(parts: Iterator[Condition]) -> Condition:
    found = tuple(parts)
    return found[0] if len(found) == 1 else Every(found)


def _either_of(parts: Iterator[Condition]) -> Condition:
    found = tuple(parts)
    return found[0] if len(found) == 1 else Either(found)


def _read_any(value: Any) -> Comparison:
    if isinstance(value, Comparison):
        return value
    if isinstance(value, bool | int | Decimal):
        return Comparison.equal(value)
    if not isinstance(value, str):
        raise refuse("SEG-0206", "a comparison is text, a number or a boolean", expected=_EXPECTED, found=show(value))
    return Comparison.parse(value)


def _read(value: Any) -> Comparison:
    comparison = _read_any(value)
    if comparison.percent:
        raise refuse("SEG-0206", "percent means nothing here", expected="a plain number", found=show(value))
    return comparison


_WORDS = "[Nn][Oo][Tt]|[Ii][Nn]|[Ii][Ss]|[Bb][Ee][Tt][Ww][Ee][Ee][Nn]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]"
_BEGINS = {"type": "string", "pattern": rf"^\s*([<>=(']|!=|[+-]?\.?[0-9]|({_WORDS})([^A-Za-z]|$))"}
_FORM = {"anyOf": [_BEGINS, {"type": ["number", "boolean"]}]}
AnyComparison = Annotated[Comparison, PlainValidator(_read), Takes("a comparison", _FORM)]
"""A field that holds a comparison."""
PercentComparison = Annotated[Comparison, PlainValidator(_read_any), Takes("a comparison, also in percent", _FORM)]
"""A field that holds a comparison which may be in percent."""
