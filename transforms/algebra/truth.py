"""Kleene's three values over whole arrays, and comparisons judged by signs."""

from collections.abc import Callable, Sequence

import numpy as np

from schemas.definitions.comparison import Compare, Condition, Constant, Either, Every, IsNull, Negation
from transforms.algebra.order import FALSE, TRUE, UNKNOWN, Flags, Ints, Truths

Sign = Callable[[Constant], Ints]

IDENTITY: Truths = np.array([FALSE, TRUE, UNKNOWN], np.int8)
OPPOSITE: Truths = np.array([TRUE, FALSE, UNKNOWN], np.int8)

_HOLDS: dict[str, Callable[[Ints], Flags]] = {
    "=": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def resolve(missing: bool | None) -> Truths:
    """The map that replaces unknown by what `missing` says (3.2)."""
    return IDENTITY if missing is None else np.array([FALSE, TRUE, int(missing)], np.int8)


def conjunction(parts: Sequence[Truths]) -> Truths:
    """All of them: false wins, then unknown."""
    stacked = np.stack(parts)
    unknown = np.where((stacked == UNKNOWN).any(axis=0), np.int8(UNKNOWN), np.int8(TRUE))
    return np.where((stacked == FALSE).any(axis=0), np.int8(FALSE), unknown)


def disjunction(parts: Sequence[Truths]) -> Truths:
    """Any of them: not all not."""
    return OPPOSITE[conjunction([OPPOSITE[part] for part in parts])]


def judge(tree: Condition, sign: Sign, missing: Flags) -> Truths:
    """The truth of a comparison: `sign(constant)` gives the sign of (value - constant), `missing` where there is no value."""
    match tree:
        case Compare(op, constant):
            return np.where(missing, np.int8(UNKNOWN), _HOLDS[op](sign(constant)).astype(np.int8))
        case IsNull(negated):
            return (missing ^ negated).astype(np.int8)
        case Negation(part):
            return OPPOSITE[judge(part, sign, missing)]
        case Every(parts):
            return conjunction([judge(part, sign, missing) for part in parts])
        case Either(parts):
            return disjunction([judge(part, sign, missing) for part in parts])
    raise TypeError(f"not a comparison: {type(tree).__name__}")
