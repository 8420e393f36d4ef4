"""Ids that are one subject for a while: who they are, and whether any of them is meant (semantics 6.3)."""

from dataclasses import dataclass

import numpy as np

from transforms.algebra.forest import Forest
from transforms.algebra.order import Flags, Ints, Steps, settle, spread
from transforms.algebra.pieces import Pieces, pieces


@dataclass(frozen=True)
class Kin:
    """The ids of a forest as each is for a while one of several: an entry of `kin`, numbered `count` + k behind the ids.

    Attributes:
      forest: whom each id belongs to.
      who, root: of each entry the id, and the one whose data its data are in [from_at, to_at).
      tree: tells apart the ids that belong together for so long. Entries are sorted by (who, from_at).
      single: when each id belongs to nobody else, nor anybody to it.
    """

    forest: Forest
    who: Ints
    root: Ints
    from_at: Ints
    to_at: Ints
    tree: Ints
    single: Pieces

    @property
    def count(self) -> int:
        """The number of ids."""
        return self.forest.count

    def among(self, trees: Ints, marked: Flags | None = None) -> tuple[Ints, Ints]:
        """The entries of each tree asked for, as (place among those asked for, entry): all, or those of the ids marked."""
        entries = np.arange(len(self.who)) if marked is None else np.flatnonzero(marked[self.who])
        by_tree = entries[np.argsort(self.tree[entries], kind="stable")]
        low, high = (np.searchsorted(self.tree[by_tree], trees, side) for side in ("left", "right"))
        place, found = spread(low, high)
        return place, by_tree[found]

    def numbered_at(self, at: int) -> Ints:
        """The number by which each id is judged at an instant: that of its entry where it has one then, else its own."""
        number = np.arange(self.count)
        now = np.flatnonzero((self.from_at <= at) & (at < self.to_at))
        number[self.who[now]] = self.count + now
        return number

    def any_of(self, flags: Flags) -> Steps:
        """For each id over T, whether the flag of any id of its tree is up."""
        raised = np.bincount(self.among(self.tree, flags)[0], minlength=len(self.who)) > 0
        edges = [(self.single.who, self.single.from_at, flags[self.single.who]), (self.who, self.from_at, raised)]
        who, at, value = (np.concatenate(column) for column in zip(*edges, strict=True))
        index = np.lexsort((at, who))
        return settle(who[index], at[index], value[index].astype(np.int8), flags.astype(np.int8))


def kin(forest: Forest) -> Kin:
    """Read a forest as times in which ids belong together."""
    held = pieces(forest.tree)
    many = held.value >= forest.count
    together = held.take(many)
    tree = together.value.astype(np.int64)
    root = tree % max(forest.count, 1)
    return Kin(forest, together.who, root, together.from_at, together.to_at, tree, held.take(~many))
