"""Links between ids as a forest over time: whose data are whose at T (semantics 6.3)."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from transforms.algebra.order import (
    FOREVER,
    Flags,
    Ints,
    Steps,
    constant,
    different,
    firsts,
    lasts,
    settle,
    spread,
    value_at,
)

NOBODY = -1
"""The end of a link that undoes those before it."""
ACCEPTED, SUPERSEDED, CYCLE, SUPER_NODE, ERASED = range(5)
"""What becomes of a link. One that yields to another of the same id and instant is superseded; the last three are refused."""


class Links(NamedTuple):
    """What links say: from `at` on `child` belongs to `parent`, or to NOBODY, unless the tree would have over `most` ids."""

    child: Ints
    parent: Ints
    at: Ints
    most: Ints

    def take(self, index: Ints) -> "Links":
        """The links at `index`."""
        return Links._make(column[index] for column in self)


@dataclass(frozen=True)
class Forest:
    """Whom each of `count` ids belongs to.

    Attributes:
      tree: over T, the root of each id plus `count` times a number that tells apart one tree's compositions; 0 of an id alone.
      verdict: what becomes of each link.
    """

    count: int
    tree: Steps
    verdict: Ints

    def root(self, who: Ints, at: Ints) -> Ints:
        """Whose data those of each id are at an instant: its own number, if it is not merged."""
        return value_at(self.tree, who, at).astype(np.int64) % max(self.count, 1)


def alone(count: int) -> Forest:
    """No links: everybody is nobody else."""
    return Forest(count, constant(np.arange(count)), np.empty(0, np.int64))


def connected(count: int, one: Ints, other: Ints) -> Ints:
    """The smallest number that each of `count` ids is connected with, by any of the pairs."""
    label = np.arange(count)
    while True:
        before = label.copy()
        low = np.minimum(label[one], label[other])
        np.minimum.at(label, one, low)
        np.minimum.at(label, other, low)
        label = label[label]
        if np.array_equal(label, before):
            return label


def forest(count: int, links: Links, rank: Ints, erased_at: Ints) -> Forest:
    """Apply links instant by instant, those of one instant all at once; the larger parent wins, and of links that can not all
    be the one with the smallest parent is refused.

    The next instant of every component is applied in one round, so that a round costs what the components left cost.

    Args:
      count: how many ids there are.
      links: in any order.
      rank: of each id the place of its text among all, by bytes.
      erased_at: from when on each id is erased: no link leads to a tree that one is in.
    """
    named = different(np.concatenate((links.child, links.parent[links.parent != NOBODY])))
    place = np.full(count + 1, NOBODY)  # the last entry stands for NOBODY
    place[named] = np.arange(len(named))
    growing = _Growing(links._replace(child=place[links.child], parent=place[links.parent]), rank[named], erased_at[named])
    while growing.advance():
        pass
    return growing.grown(named, count)


class _Growing:
    """A forest while links are applied to it."""

    def __init__(self, links: Links, rank: Ints, erased_at: Ints) -> None:
        self.count, self.rank, self.erased_at = len(rank), np.append(rank, NOBODY), erased_at
        named = links.parent != NOBODY
        self.label = connected(self.count, links.child[named], links.parent[named])
        of = self.label[links.child]
        self.order = np.lexsort((self.rank[links.parent], links.child, links.at, of))
        self.links, of = links.take(self.order), of[self.order]
        begins = np.flatnonzero(firsts(of, self.links.at))  # the links of a component and an instant
        self.low, self.high = begins, np.append(begins[1:], len(of))
        self.turn = np.arange(len(begins)) - np.maximum.accumulate(np.where(firsts(of[begins]), np.arange(len(begins)), 0))
        self.parent, self.root = np.arange(self.count), np.arange(self.count)
        self.verdict = np.full(len(of), ACCEPTED)
        self.rounds = 0
        self.rows: list[tuple[Ints, Ints, Ints, Ints]] = []
        self.by_label = np.argsort(self.label, kind="stable")
        self.labels = self.label[self.by_label]

    def advance(self) -> bool:
        """Apply the links of the next instant of each component; False when there were none."""
        now = np.flatnonzero(self.turn == self.rounds)
        if not len(now):
            return False
        self.rounds += 1
        links = spread(self.low[now], self.high[now])[1]
        ids = self._ids_of(self.links.child[self.low[now]])
        before = self.root[ids]
        self._apply(links[~self._lead_to_erased(links, ids)], ids)
        self._note(self.low[now], ids, before)
        return True

    def _lead_to_erased(self, links: Ints, ids: Ints) -> Flags:
        """Links to a tree, as it was before, of which any id is erased by then."""
        gone_at = np.full(self.count, FOREVER)
        np.minimum.at(gone_at, self.root[ids], self.erased_at[ids])
        parent = self.links.parent[links]
        erased: Flags = (gone_at[self.root[parent]] <= self.links.at[links]) & (parent != NOBODY)
        self.verdict[links[erased]] = ERASED
        return erased

    def _apply(self, links: Ints, ids: Ints) -> None:
        """Set the parents by the links, those left out that close a cycle or crowd a tree."""
        was = self.parent[ids]
        while True:
            self.parent[ids] = was
            came = links[lasts(self.links.child[links])]
            child, parent = self.links.child[came], self.links.parent[came]
            self.parent[child] = np.where(parent == NOBODY, child, parent)
            refused, verdict = self._losers(came[self._circles(child, parent)]), CYCLE
            if not len(refused):
                self._find_roots(ids)
                refused, verdict = self._losers(came[self._crowds(came, ids)]), SUPER_NODE
            if not len(refused):
                self.verdict[links[~np.isin(links, came)]] = SUPERSEDED
                return
            self.verdict[refused] = verdict
            links = links[~np.isin(links, refused)]

    def _circles(self, child: Ints, parent: Ints) -> Flags:
        """Whether the way up from each child leads back to it."""
        found, reached = child == parent, child
        for _ in range(self.count):
            above = self.parent[reached]
            if np.array_equal(above, reached):
                break
            found |= (above == child) & (reached != child)
            reached = above
        return found

    def _crowds(self, came: Ints, ids: Ints) -> Flags:
        """Which links have made a tree of more ids than they may; what undoes never does."""
        sizes = np.bincount(self.root[ids], minlength=self.count)
        crowds: Flags = sizes[self.root[self.links.child[came]]] > self.links.most[came]
        return crowds & (self.links.parent[came] != NOBODY)

    def _losers(self, surplus: Ints) -> Ints:
        """Of the links too many in each component the one with the smallest parent; among equals that with the largest child."""
        child, parent = self.links.child[surplus], self.links.parent[surplus]
        index = np.lexsort((-self.rank[child], self.rank[parent], self.label[child]))
        return surplus[index[firsts(self.label[child][index])]]

    def _ids_of(self, child: Ints) -> Ints:
        """All ids of the components that these belong to."""
        low, high = (np.searchsorted(self.labels, self.label[child], side) for side in ("left", "right"))
        return self.by_label[spread(low, high)[1]]

    def _find_roots(self, ids: Ints) -> None:
        root = self.parent[ids]
        while True:
            above = self.parent[root]
            if np.array_equal(above, root):
                break
            root = above
        self.root[ids] = root

    def _note(self, first: Ints, ids: Ints, before: Ints) -> None:
        """Who belongs to another tree now, or to one of other ids; `first` is a link of each component."""
        after = self.root[ids]
        moved = before != after
        touched = np.isin(after, np.concatenate((before[moved], after[moved])))
        if not touched.any():
            return
        at = np.zeros(self.count, np.int64)
        at[self.label[self.links.child[first]]] = self.links.at[first]
        chosen, root = ids[touched], after[touched]
        many = np.bincount(root, minlength=self.count)[root] > 1
        self.rows.append((chosen, at[self.label[chosen]], root, np.where(many, self.rounds, 0)))

    def grown(self, named: Ints, count: int) -> Forest:
        """All that was noted, as functions of T, in the numbers of `count` ids of which these were `named`."""
        verdict = np.empty_like(self.verdict)
        verdict[self.order] = self.verdict
        if not self.rows:
            return replace(alone(count), verdict=verdict)
        who, at, root, version = (np.concatenate(column) for column in zip(*self.rows, strict=True))
        index = np.lexsort((np.arange(len(who)), at, who))
        tree = named[root] + version * count
        return Forest(count, settle(named[who[index]], at[index], tree[index], np.arange(count)), verdict)
