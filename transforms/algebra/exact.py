"""Exact numbers: scaled integers that widen to Python's own where 64 bits would not hold a sum or a product."""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.comparison import Constant
from transforms.algebra.coded import indices
from transforms.algebra.order import Flags, Ints

Number = npt.NDArray[Any]

_LIMIT = 1 << 62


def scaled(column: pa.Array) -> Number:
    """A decimal, integer, boolean or float column as numbers; decimals as integers of 10**-scale. No nulls inside.

    Decimals of more than 18 digits become Python integers.
    """
    if pa.types.is_decimal(column.type):
        return _unscaled(column)
    return column.to_numpy(zero_copy_only=False)


def _unscaled(column: pa.Array) -> Number:
    if pa.types.is_decimal64(column.type):
        return np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column)]
    words = np.frombuffer(column.buffers()[1], np.int64)[2 * column.offset : 2 * (column.offset + len(column))]
    low, high = words[::2], words[1::2]
    if column.type.precision <= 18:
        return low.copy()
    return high.astype(object) * (1 << 64) + low.view(np.uint64).astype(object)


def summable(values: Number, factor: int = 1) -> Number:
    """`values` in a type that holds the sum of all of them times `factor`."""
    if values.dtype == object or not len(values):
        return values
    return values.astype(object) if _largest(values) * len(values) * factor >= _LIMIT else values.astype(np.int64)


def _largest(values: Number) -> int:
    """How far from 0 any is."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))


def fits(values: Number) -> Flags:
    """Whether 64 bits hold each of the integers."""
    return np.asarray((values >= -(1 << 63)) & (values < 1 << 63), np.bool_)


def fraction(constant: Constant, scale: int = 0) -> Fraction:
    """A constant in units of 10**-scale, exactly."""
    return Fraction(constant) * 10**scale


def sign(values: Number, target: Fraction) -> Ints:
    """The sign of (value - target), exactly. Floats compare as what they are."""
    if values.dtype.kind == "f":
        return np.sign(values - float(target)).astype(np.int64)
    whole = target.numerator // target.denominator
    above, equal = values > whole, values == whole
    exact = target.denominator == 1
    return np.where(above, 1, np.where(equal & exact, 0, -1)).astype(np.int64)


def ratio_sign(numerator: Number, denominator: Number, target: Fraction) -> Ints:
    """The sign of (numerator / denominator - target), cross-multiplied; denominators are positive."""
    largest = max(_largest(numerator), _largest(denominator), 1)
    if largest * max(abs(target.numerator), target.denominator) >= _LIMIT >> 1:
        numerator, denominator = numerator.astype(object), denominator.astype(object)
    difference = numerator * target.denominator - denominator * target.numerator
    return (difference > 0).astype(np.int64) - (difference < 0).astype(np.int64)


def doubles(numerator: Number, denominator: Number, digits: int) -> pa.Array:
    """numerator / (denominator * 10**digits) as the nearest doubles; null where the denominator is 0."""
    absent = np.asarray(denominator == 0, np.bool_)
    divisor = np.where(absent, 1, denominator).astype(object) * 10**digits
    return pa.array((numerator.astype(object) / divisor).astype(np.float64), mask=absent)


def ranks(column: pa.Array) -> Ints:
    """Numbers that are ordered and equal as the values of a column without nulls are; texts by bytes."""
    if pa.types.is_string(column.type):
        column = column.dictionary_encode()
    if pa.types.is_dictionary(column.type):
        return np.asarray(pc.rank(column.dictionary, tiebreaker="dense")).astype(np.int64)[indices(column, 0)]
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
    _, rank = np.unique(scaled(column), return_inverse=True)
    return rank


def decimals(values: Number, precision: int, scale: int) -> pa.Array:
    """Scaled integers as a decimal column."""
    words = np.empty(2 * len(values), np.int64)
    if values.dtype == object:
        words.view(np.uint64)[::2] = (values & ((1 << 64) - 1)).astype(np.uint64)
        words[1::2] = (values >> 64).astype(np.int64)
    else:
        words[::2] = values
        words[1::2] = values >> 63
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(values), [None, pa.py_buffer(words)])


def signs(column: pa.Array, constant: Constant) -> Ints:
    """The sign of (value - constant) for each value of a column without nulls; the constant in the column's terms."""
    if pa.types.is_dictionary(column.type):
        return signs(column.dictionary, constant)[indices(column, 0)]
    if isinstance(constant, str):
        return _difference(pc.greater(column, constant), pc.equal(column, constant))
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    scale = column.type.scale if pa.types.is_decimal(column.type) else 0
    return sign(scaled(column), fraction(constant, scale))


def _difference(above: pa.Array, equal: pa.Array) -> Ints:
    above, equal = above.to_numpy(zero_copy_only=False), equal.to_numpy(zero_copy_only=False)
    return np.where(above, 1, np.where(equal, 0, -1)).astype(np.int64)
