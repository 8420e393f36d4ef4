"""What a comparison says of a value, and values enough to know everything that comparisons can say."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from schemas.definitions.condition import Compare, Condition, Either, IsNull, Negation
from schemas.definitions.datatype import DataType

Truth = bool | None
_OPERATIONS = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def truth_of(condition: Condition, value: Any) -> Truth:
    """Kleene's truth of a condition for a value; None stands for a missing one, and for unknown."""
    if isinstance(condition, Compare):
        return None if value is None else bool(_OPERATIONS[condition.op](value, condition.constant))
    if isinstance(condition, IsNull):
        return (value is None) != condition.negated
    if isinstance(condition, Negation):
        return opposite(truth_of(condition.part, value))
    truths = [truth_of(part, value) for part in condition.parts]
    return some(truths) if isinstance(condition, Either) else every(truths)


def opposite(truth: Truth) -> Truth:
    """Unknown stays unknown."""
    return None if truth is None else not truth


def every(truths: Iterable[Truth]) -> Truth:
    """False wins over unknown."""
    found = set(truths)
    return False if False in found else None if None in found else True


def some(truths: Iterable[Truth]) -> Truth:
    """True wins over unknown."""
    return opposite(every(map(opposite, truths)))


def enough(constants: Sequence[Any], kind: DataType, is_count: bool) -> tuple[Any, ...]:
    """A value of each kind that comparisons with these constants can tell from others: each, and one in each gap."""
    if kind.kind == "bool":
        return (False, True)
    if kind.kind == "string":
        return tuple(sorted({"", *(text + end for text in constants for end in ("", "\x00"))}))
    if kind.kind in ("int", "date", "timestamp"):
        near = {int(c) + step for c in constants for step in (-1, 0, 1)} | {0}
        return tuple(sorted(number for number in near if number >= 0 or not is_count))
    return _numbers(sorted({Decimal(str(c)) for c in constants}))


def _numbers(constants: Sequence[Decimal]) -> tuple[Decimal, ...]:
    if not constants:
        return (Decimal(0),)
    between = [(low + high) / 2 for low, high in pairwise(constants)]
    return (constants[0] - 1, *constants, *between, constants[-1] + 1)
