"""Whose data are whose: links applied in order, against a walk that looks at one link after the other (6.3)."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.algebra.forest import ACCEPTED, CYCLE, ERASED, NOBODY, SUPER_NODE, SUPERSEDED, Forest, Links, forest
from transforms.algebra.order import FOREVER

Link = tuple[int, int, int]
IDS = 5


def grown(links: Sequence[Link], most: int = 100, count: int = IDS, erased: Mapping[int, int] | None = None) -> Forest:
    """The forest of links (child, parent or NOBODY, instant); an id's number is its place among the texts, too."""
    child, parent, at = (np.array([link[place] for link in links], np.int64) for place in range(3))
    erased_at = np.array([(erased or {}).get(who, FOREVER) for who in range(count)])
    return forest(count, Links(child, parent, at, np.full(len(links), most)), np.arange(count), erased_at)


def root(found: Forest, who: int, at: int) -> int:
    return int(found.root(np.array([who]), np.array([at]))[0])


def test_from_the_link_on_an_id_belongs_to_another() -> None:
    found = grown([(0, 1, 10)])
    assert [root(found, 0, at) for at in (9, 10, 11)] == [0, 1, 1]
    assert root(found, 1, 11) == 1


def test_links_form_chains() -> None:
    found = grown([(0, 1, 10), (1, 2, 20)])
    assert [root(found, 0, at) for at in (10, 19, 20)] == [1, 1, 2]


def test_a_later_link_replaces_an_earlier_one_of_the_same_id() -> None:
    found = grown([(0, 1, 10), (0, 2, 20)])
    assert [root(found, 0, at) for at in (19, 20)] == [1, 2]


def test_at_one_instant_the_larger_parent_wins() -> None:
    assert root(grown([(0, 1, 10), (0, 2, 10)]), 0, 10) == 2
    assert root(grown([(0, 2, 10), (0, 1, 10)]), 0, 10) == 2
    assert root(grown([(0, NOBODY, 10), (0, 1, 10)]), 0, 10) == 1


def test_a_link_to_nobody_undoes() -> None:
    found = grown([(0, 1, 10), (0, NOBODY, 20)])
    assert [root(found, 0, at) for at in (19, 20)] == [1, 0]


def test_a_link_that_closes_a_cycle_is_refused_for_good() -> None:
    found = grown([(0, 1, 10), (1, 0, 20), (0, NOBODY, 30)])
    assert found.verdict.tolist() == [ACCEPTED, CYCLE, ACCEPTED]
    assert [root(found, who, 40) for who in (0, 1)] == [0, 1]


def test_what_an_instant_undoes_closes_no_cycle_then() -> None:
    found = grown([(0, 1, 10), (0, NOBODY, 20), (1, 0, 20)])
    assert found.verdict.tolist() == [ACCEPTED] * 3
    assert [root(found, who, 20) for who in (0, 1)] == [0, 0]


def test_of_two_links_that_close_a_cycle_at_one_instant_that_to_the_larger_id_stays() -> None:
    assert grown([(0, 1, 10), (1, 0, 10)]).verdict.tolist() == [ACCEPTED, CYCLE]


def test_no_link_leads_to_who_is_erased_and_those_before_stay() -> None:
    found = grown([(0, 1, 10), (2, 1, 20), (3, 0, 30), (1, 4, 40)], erased={1: 20})
    assert found.verdict.tolist() == [ACCEPTED, ERASED, ERASED, ACCEPTED]


def test_an_id_is_not_linked_to_itself() -> None:
    assert grown([(3, 3, 10)]).verdict.tolist() == [CYCLE]


def test_a_tree_of_more_ids_than_it_may_have_takes_no_more() -> None:
    found = grown([(0, 4, 10), (1, 4, 20), (2, 4, 30), (1, NOBODY, 40), (3, 4, 50)], most=3)
    assert found.verdict.tolist() == [ACCEPTED, ACCEPTED, SUPER_NODE, ACCEPTED, ACCEPTED]
    assert [root(found, who, 50) for who in range(5)] == [4, 1, 2, 4, 4]


def test_ids_that_belong_together_share_a_number_that_tells_compositions_apart() -> None:
    tree = grown([(0, 1, 10), (2, 1, 20)]).tree
    values = {(int(who), int(at)): int(value) for who, at, value in zip(tree.who, tree.at, tree.value, strict=True)}
    assert values[0, 10] == values[1, 10] != values[0, 20]
    assert values[0, 20] == values[1, 20] == values[2, 20]


class Walk:
    """One instant after the other, as the rule says it."""

    def __init__(self, links: Sequence[Link], most: int) -> None:
        self.links, self.most, self.above = links, most, {who: who for who in range(IDS)}
        self.verdict = [ACCEPTED] * len(links)
        for at in sorted({link[2] for link in links}):
            self.apply([place for place, link in enumerate(links) if link[2] == at])

    def root(self, who: int) -> int:
        return who if self.above[who] == who else self.root(self.above[who])

    def is_in_a_circle(self, who: int) -> bool:
        passed: list[int] = []
        while who not in passed:
            passed.append(who)
            if self.above[who] == who:
                return False
            who = self.above[who]
        return who == passed[0]

    def apply(self, standing: list[int]) -> None:
        before = dict(self.above)
        while standing:
            self.above = dict(before)
            came = {self.links[one][0]: one for one in sorted(standing, key=lambda one: self.links[one][1])}
            for child, one in came.items():
                self.above[child] = child if self.links[one][1] == NOBODY else self.links[one][1]
            circles = [one for child, one in came.items() if self.links[one][1] == child or self.is_in_a_circle(child)]
            crowds = [] if circles else [one for one in came.values() if self.crowds(one)]
            if not circles + crowds:
                self.yield_to(came, standing)
                return
            refused = min(circles + crowds, key=lambda one: (self.links[one][1], -self.links[one][0]))
            self.verdict[refused] = CYCLE if circles else SUPER_NODE
            standing.remove(refused)
        self.above = before

    def yield_to(self, came: Mapping[int, int], standing: list[int]) -> None:
        for one in standing:
            if one not in came.values():
                self.verdict[one] = SUPERSEDED

    def crowds(self, one: int) -> bool:
        child, parent, _ = self.links[one]
        return parent != NOBODY and sum(self.root(who) == self.root(child) for who in self.above) > self.most


LINKS = st.lists(st.tuples(st.integers(0, IDS - 1), st.integers(NOBODY, IDS - 1), st.integers(0, 6)), min_size=1, max_size=12)


@settings(max_examples=400)
@given(LINKS, st.integers(2, IDS))
def test_links_in_rounds_are_links_one_instant_after_the_other(links: list[Link], most: int) -> None:
    found, walk = grown(links, most), Walk(links, most)
    assert [root(found, who, 6) for who in range(IDS)] == [walk.root(who) for who in range(IDS)]
    assert sorted(zip(links, found.verdict.tolist(), strict=True)) == sorted(zip(links, walk.verdict, strict=True))


@settings(max_examples=200)
@given(LINKS, st.integers(0, 6), st.randoms(use_true_random=False))
def test_what_lies_later_and_the_order_of_arrival_change_nothing(links: list[Link], at: int, random: object) -> None:
    now = [link for link in links if link[2] <= at]
    shuffled = sorted(links, key=lambda _: random.random())  # type: ignore[attr-defined]
    roots = [[root(found, who, at) for who in range(IDS)] for found in (grown(links), grown(shuffled), grown(now))]
    assert roots[0] == roots[1] == roots[2]
