"""Conditions on one value: the trees that comparisons are parsed into."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from schemas.definitions.datatype import DataType
from schemas.definitions.instant import parse_date, parse_instant
from schemas.definitions.refusal import refuse

Operation = Literal["=", "!=", "<", "<=", ">", ">="]
Constant = int | Decimal | str | bool


@dataclass(frozen=True)
class Compare:
    """The value `op` the constant; unknown where the value is."""

    op: Operation
    constant: Constant

    def constant_for(self, type: DataType, timezone: str = "UTC") -> Constant:  # noqa: A002
        """The constant in the terms of a column: days of a date, microseconds of a timestamp. Raises ValueError."""
        return constant_for(self.constant, type, timezone)


@dataclass(frozen=True)
class IsNull:
    """Whether the value is null, or with `negated` whether it is there; never unknown."""

    negated: bool = False


@dataclass(frozen=True)
class Every:
    """All of the parts."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Either:
    """At least one of the parts."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Negation:
    """Not the part."""

    part: "Condition"


Condition = Compare | IsNull | Every | Either | Negation


def constant_for(constant: Constant, type: DataType, timezone: str = "UTC") -> Constant:  # noqa: A002
    """A constant in the terms of a column: days of a date, microseconds of a timestamp. Raises ValueError."""
    fits = {
        "string": isinstance(constant, str),
        "bool": isinstance(constant, bool),
        "date": isinstance(constant, str),
        "timestamp": isinstance(constant, str),
    }.get(type.kind, type.is_number and isinstance(constant, int | Decimal) and not isinstance(constant, bool))
    if not fits:
        found = write_constant(constant)
        raise refuse("SEG-0207", f"the constant does not fit {_article(type)}", expected=_wanted(type), found=found)
    if type.kind == "date":
        return parse_date(str(constant))
    return parse_instant(str(constant), timezone) if type.kind == "timestamp" else constant


def _article(type: DataType) -> str:  # noqa: A002
    return f"an {type}" if type.kind == "int" else f"a {type}"


def _wanted(type: DataType) -> str:  # noqa: A002
    return {
        "string": "text in single quotes, as in = 'DE'",
        "bool": "true or false",
        "date": "a date in single quotes, as in >= '2026-01-31'",
        "timestamp": "an instant in single quotes, as in >= '2026-01-31T09:30:00Z'",
        "list": "is null or is not null",
    }.get(type.kind, "a number")


def compares(tree: Condition) -> Iterator[Compare]:
    """Every comparison with a constant in a tree, left to right."""
    open_parts = [tree]
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, Compare):
            yield part
        elif isinstance(part, Every | Either):
            open_parts += reversed(part.parts)
        elif isinstance(part, Negation):
            open_parts.append(part.part)


def convert(part: Condition, type: DataType, timezone: str) -> Condition:  # noqa: A002
    """The same tree with its constants in the terms of a column. Raises ValueError."""
    if isinstance(part, Compare):
        return Compare(part.op, part.constant_for(type, timezone))
    if isinstance(part, Negation):
        return Negation(convert(part.part, type, timezone))
    if isinstance(part, Every | Either):
        return replace(part, parts=tuple(convert(inner, type, timezone) for inner in part.parts))
    return part


def write(part: Condition, percent: bool = False) -> str:
    """A tree as text in one normal form."""
    if isinstance(part, Compare):
        return f"{part.op} {write_constant(part.constant, percent)}"
    if isinstance(part, IsNull):
        return "is not null" if part.negated else "is null"
    if isinstance(part, Negation):
        return f"not ({write(part.part, percent)})"
    word = " and " if isinstance(part, Every) else " or "
    return word.join(_grouped(inner, percent) for inner in part.parts)


def _grouped(part: Condition, percent: bool) -> str:
    text = write(part, percent)
    return f"({text})" if isinstance(part, Every | Either) else text


def write_constant(constant: Constant, percent: bool = False) -> str:
    """A constant as it is written in a comparison."""
    if isinstance(constant, bool):
        return str(constant).lower()
    if isinstance(constant, str):
        return "'" + constant.replace("'", "''") + "'"
    return f"{_plain(shift(Decimal(constant), 2))}%" if percent else _plain(Decimal(constant))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def shift(number: Decimal, places: int) -> Decimal:
    """The number times ten to the power of `places`, exactly, however many digits it has."""
    sign, digits, exponent = number.as_tuple()
    return Decimal((sign, digits, int(exponent) + places))
