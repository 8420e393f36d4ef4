"""Ids that links connect lie in one shard."""

import pyarrow as pa

from transforms.shard import shards_of, split
from transforms.subject_hash import subject_hash
from transforms.together import NOBODY, Together, together

NAMES = ("phone", "tablet", "zoe", "a", "b", "c")


def links(*pairs: tuple[str, str | None]) -> pa.Table:
    return pa.table({"subject": [one for one, _ in pairs], "to_id": pa.array([other for _, other in pairs], pa.string())})


def standing(found: Together, *subjects: str) -> list[str]:
    """Who stands for each, told by its hash."""
    by_hash = {int(one): name for name in NAMES for one in subject_hash(pa.array([name]))}
    return [by_hash[int(one)] for one in found.standing(subject_hash(pa.array(subjects)))]


def test_all_ids_of_a_group_lie_where_one_that_was_never_merged_lies() -> None:
    found = together(links(("phone", "zoe"), ("tablet", "zoe"), ("b", "a")))
    assert standing(found, "phone", "tablet", "zoe", "a", "b", "c") == ["zoe", "zoe", "zoe", "a", "a", "c"]


def test_who_comes_to_a_group_does_not_move_it() -> None:
    before, after = together(links(("b", "zoe"))), together(links(("b", "zoe"), ("a", "zoe"), ("c", "a")))
    assert standing(before, "b") == standing(after, "c") == ["zoe"]


def test_ids_of_which_each_was_merged_go_by_the_smallest() -> None:
    assert standing(together(links(("b", "a"), ("a", "b"))), "a", "b") == ["a", "a"]


def test_a_link_that_undoes_connects_nobody_and_what_was_connected_stays_together() -> None:
    assert together(links(("a", ""), ("b", None))) is NOBODY
    assert standing(together(links(("a", "b"), ("a", ""))), "a") == ["b"]


def test_a_batch_is_split_by_who_stands_for_its_subjects() -> None:
    found = together(links(*((f"device{n}", "user") for n in range(20))))
    batch = pa.RecordBatch.from_pydict({"subject": [f"device{n}" for n in range(20)]})
    ((shard, part),) = split(batch, 16, found)
    assert len(part) == 20
    assert shard == shards_of(pa.array(["user"]), 16)[0]


def test_ids_come_with_all_that_are_connected_with_them() -> None:
    found = together(links(("phone", "zoe"), ("tablet", "zoe"), ("b", "a")))
    assert sorted(found.with_linked(pa.array(["phone", "c"])).to_pylist()) == ["c", "phone", "tablet", "zoe"]
    assert found.with_linked(pa.array(["zoe", "tablet"])).to_pylist()[:2] == ["zoe", "tablet"]
    assert NOBODY.with_linked(pa.array(["a"])).to_pylist() == ["a"]
