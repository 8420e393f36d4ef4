"""Numbers are exact however large they are: beyond 64 bits they are Python's own."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions.comparison import Constant
from transforms.algebra.exact import Number, decimals, doubles, fits, ranks, ratio_sign, scaled, sign, signs, summable

EDGES = [edge + near for power in (61, 62, 63, 64, 65, 120) for edge in (1 << power, -1 << power) for near in (-1, 0, 1)]
LARGE = st.one_of(st.sampled_from(EDGES), st.integers(-(10**38) + 1, 10**38 - 1), st.integers(-3, 3))
LONG = st.one_of(st.sampled_from([edge for edge in EDGES if -1 << 63 <= edge < 1 << 63]), st.integers(-3, 3))


def plus(value: Fraction | int, other: Fraction | int) -> int:
    return (value > other) - (value < other)


def of_words(values: list[int]) -> Number:
    return np.array(values, np.int64)


@given(st.lists(LARGE))
def test_a_decimal_of_any_length_is_read_as_it_was_written(values: list[int]) -> None:
    column = decimals(np.array(values, object), 38, 0)
    assert [int(value) for value in column.to_pylist()] == values
    assert scaled(column).tolist() == values
    assert scaled(column[1:]).tolist() == values[1:]


@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1)))
def test_so_is_a_short_one_in_either_width(values: list[int]) -> None:
    column = decimals(of_words(values), 18, 2)
    assert column.to_pylist() == [Decimal(value).scaleb(-2) for value in values]
    for one in (column, column.cast(pa.decimal64(18, 2))):
        assert scaled(one[1:]).tolist() == values[1:]


@given(st.lists(LONG), st.integers(1, 4))
def test_a_sum_of_as_many_as_there_are_does_not_overflow(values: list[int], factor: int) -> None:
    numbers = summable(of_words(values), factor)
    assert (numbers * factor).sum() == sum(values) * factor


@given(st.lists(LARGE))
def test_64_bits_hold_what_lies_between_their_ends(values: list[int]) -> None:
    assert fits(np.array(values, object)).tolist() == [-(1 << 63) <= value < 1 << 63 for value in values]


@given(st.lists(LONG), LARGE, st.integers(1, 3))
def test_a_number_is_above_at_or_below_a_fraction(values: list[int], numerator: int, denominator: int) -> None:
    target = Fraction(numerator, denominator)
    expected = [plus(value, target) for value in values]
    assert sign(of_words(values), target).tolist() == expected
    assert sign(np.array(values, object), target).tolist() == expected


@given(st.lists(st.tuples(LONG, st.sampled_from((1, 2, 3, 1 << 61, (1 << 63) - 1)))), LARGE, st.sampled_from((1, 3, 1 << 61)))
def test_so_is_a_quotient(pairs: list[tuple[int, int]], numerator: int, denominator: int) -> None:
    above, below = (of_words([pair[place] for pair in pairs]) for place in (0, 1))
    target = Fraction(numerator, denominator)
    assert ratio_sign(above, below, target).tolist() == [plus(Fraction(a, b), target) for a, b in pairs]


@pytest.mark.parametrize("bits", range(28, 36))
def test_so_is_a_quotient_whose_parts_fit_and_whose_products_do_not(bits: int) -> None:
    above, below, target = (1 << bits) + 1, (1 << bits) - 1, Fraction((1 << bits) + 5, (1 << bits) - 3)
    found = [ratio_sign(of_words([one]), of_words([other]), target).item() for one, other in ((above, below), (3 * above, 1))]
    assert found == [plus(Fraction(above, below), target), 1]


def test_a_quotient_is_the_nearest_double_and_nothing_of_nothing() -> None:
    above, below = np.array([10**30, 1, 7], object), np.array([3, 8, 0], object)
    assert doubles(above, below, 1).to_pylist() == [10**29 / 3, 0.0125, None]


@pytest.mark.parametrize(
    ("column", "constant", "found"),
    [
        (pa.array([Decimal("1.00"), Decimal("1.01"), Decimal("1.02")], pa.decimal128(8, 2)), Decimal("1.01"), [-1, 0, 1]),
        (pa.array([Decimal("1.00"), Decimal("1.01")], pa.decimal128(8, 2)), Decimal("1.005"), [-1, 1]),
        (pa.array(["a", "b", "c"]), "b", [-1, 0, 1]),
        (pa.array(["c", "a", "c"]).dictionary_encode(), "b", [1, -1, 1]),
        (pa.array([0.5, 1.0, 1.5]), 1, [-1, 0, 1]),
        (pa.array([False, True]), True, [-1, 0]),
        (pa.array([4, 5, 6], pa.date32()), 5, [-1, 0, 1]),
        (pa.array([4, 5, 6], pa.timestamp("us", "UTC")), 5, [-1, 0, 1]),
    ],
)
def test_a_value_lies_below_at_or_above_a_constant(column: pa.Array, constant: Constant, found: list[int]) -> None:
    assert signs(column, constant).tolist() == found


@pytest.mark.parametrize(
    ("column", "ranked"),
    [
        (pa.array(["b", "a", "é", "b", "Z"]), [2, 1, 3, 2, 0]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), [1, 0, 1]),
        (pa.array([Decimal("1.5"), Decimal("-2.0"), Decimal("1.5")], pa.decimal128(30, 1)), [1, 0, 1]),
        (pa.array([3, 1, 2, 3]), [2, 0, 1, 2]),
        (pa.array([True, False, True]), [1, 0, 1]),
        (pa.array([2, 1, 2], pa.date32()), [1, 0, 1]),
        (pa.array([2, 1, 2], pa.timestamp("us", "UTC")), [1, 0, 1]),
    ],
)
def test_values_are_ranked_as_they_are_ordered(column: pa.Array, ranked: list[int]) -> None:
    places = ranks(column)
    assert [np.unique(places).tolist().index(place) for place in places.tolist()] == ranked
