"""Pairs of subject and instant packed into one number are ordered and found as the pairs are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.algebra.order import BEGINNING, FOREVER, order, search, stable_order

DAY = 86_400_000_000
FAR = (1 << 62) - 1
INSTANTS = st.sampled_from((BEGINNING, -FAR, -DAY, -1, 0, 1, 2, DAY, DAY + 1, FAR, FOREVER))
PAIRS = st.lists(st.tuples(st.integers(0, 3), INSTANTS), max_size=20)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    who, at = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(who, np.int64), np.array(at, np.int64)


@given(PAIRS)
def test_pairs_are_sorted_and_equal_ones_stay_as_they_came(pairs: list[tuple[int, int]]) -> None:
    index = stable_order(*columns(pairs)).tolist()
    assert index == sorted(range(len(pairs)), key=lambda row: pairs[row])
    assert [pairs[row] for row in order(*columns(pairs))] == sorted(pairs)


@given(PAIRS, PAIRS)
def test_a_pair_belongs_behind_all_that_are_smaller(pairs: list[tuple[int, int]], sought: list[tuple[int, int]]) -> None:
    known = columns(sorted(pairs))
    left, right = (search(*known, *columns(sought), side).tolist() for side in ("left", "right"))  # type: ignore[arg-type]
    assert left == [sum(pair < one for pair in pairs) for one in sought]
    assert right == [sum(pair <= one for pair in pairs) for one in sought]
