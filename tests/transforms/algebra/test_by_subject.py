"""Rows of some subjects are read and replaced; those of the others stay as they are."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.algebra.by_subject import replaced, rows_of
from transforms.algebra.claims import WHO
from transforms.algebra.coded import aligned, coded, plain, referred, told

OWNERS = st.lists(st.integers(0, 9), max_size=12).map(sorted)
SOME = st.sets(st.integers(0, 9)).map(sorted)


def table(owners: list[int], said: str) -> pa.Table:
    texts = [f"{said} {number}" for number in range(len(owners))]
    return pa.table({WHO: pa.array(owners, pa.int32()), "said": coded(pa.array(texts, pa.string()))})


def rows(found: pa.Table) -> list[tuple[int, str]]:
    return list(zip(found[WHO].to_pylist(), plain(found["said"]).to_pylist(), strict=True))


@settings(deadline=None)
@given(OWNERS, SOME)
def test_the_rows_of_subjects_are_found_in_their_order(owners: list[int], who: list[int]) -> None:
    index, local = rows_of(table(owners, "old"), np.array(who, np.int64))
    assert [owners[place] for place in index] == [one for one in owners if one in who] == [who[place] for place in local]


@settings(deadline=None)
@given(OWNERS, OWNERS, SOME)
def test_the_rows_of_some_subjects_are_replaced(owners: list[int], new: list[int], others: list[int]) -> None:
    """Also where a subject has no rows any more."""
    who = sorted({*new, *others})
    mine, theirs, texts = aligned(table(owners, "old"), table(new, "new"))
    found = told(replaced(mine, np.array(who, np.int64), theirs), texts)
    kept = [row for row in rows(table(owners, "old")) if row[0] not in who]
    assert rows(found) == sorted([*kept, *rows(table(new, "new"))], key=lambda row: row[0])
    forgotten = [text.as_py() for text in referred(found)["said"].combine_chunks().dictionary]
    assert sorted(forgotten) == sorted(row[1] for row in rows(found))


@pytest.mark.parametrize(
    "some",
    [list(range(0, 10_000, 2)), [0], [9_999], [3, 4, 5], [0, 1, 5_000, 5_001, 5_003, 9_999], list(range(10_000)), []],
    ids=len,
)
def test_many_who_are_no_neighbours_are_replaced_as_few_are(some: list[int]) -> None:
    everyone = list(range(10_000))
    mine, theirs, texts = aligned(table(everyone, "old"), table(some, "new"))
    found = rows(told(replaced(mine, np.array(some, np.int64), theirs), texts))
    place = {who: number for number, who in enumerate(some)}
    assert found == [(who, f"new {place[who]}" if who in place else f"old {who}") for who in everyone]
