"""Identity (semantics 6.3): which ids are one subject, from each instant on, by the links that are known.

`forests` tells what the links make, instant by instant. Nothing here knows T or K: a forest holds from its instant
until the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tests.support.oracle_model import BEGINNING, Link

MAX_LINKS = 100


@dataclass(frozen=True)
class Forest:
    """Which id leads to which, from `at` on."""

    at: int
    parents: Mapping[str, str]
    """`from_id` to `to_id`."""
    came: tuple[Link, ...]
    """The links of `at` that took effect, those that undo among them."""

    def root(self, subject: str) -> str:
        """The subject that the links lead to: an id that is not merged leads to itself."""
        while subject in self.parents:
            subject = self.parents[subject]
        return subject

    def tree(self, subject: str) -> frozenset[str]:
        """Every id that leads where this one does, the survivor among them."""
        root = self.root(subject)
        return frozenset({root, *(other for other in self.parents if self.root(other) == root)})

    def in_a_circle(self, subject: str) -> bool:
        """Whether the links lead from the id back to itself."""
        reached: str | None = subject
        for _ in self.parents:
            reached = self.parents.get(reached) if reached is not None else None
            if reached == subject:
                return True
        return False


NO_LINKS = Forest(BEGINNING, {}, ())


def forests(
    links: Iterable[Link], refuses: Callable[[Link, Forest], bool], most: Callable[[Link], int]
) -> list[Forest]:
    """Every forest in turn. `refuses` a link for what it names; `most` ids may the tree have that a link makes.

    Reading: a refused link is as though it had never been, so the earlier link of its `from_id` stays; and it stays
    refused when what stood against it is gone (6.3 says "for good" of cycles).
    """
    seen, found = list(links), [NO_LINKS]
    for at in sorted({link.linked_at for link in seen}):
        new = [link for link in seen if link.linked_at == at and not refuses(link, found[-1])]
        found.append(_forest_after(found[-1], at, new, most))
    return found


def _forest_after(before: Forest, at: int, new: list[Link], most: Callable[[Link], int]) -> Forest:
    """The links of one instant, all at once: one closes a cycle only if there is one when all of them have acted.

    Reading: one after another, in some order, would refuse links for what another link of the same instant undoes.
    """
    standing = list(new)
    while True:
        came = _largest(standing)
        after = Forest(at, _replaced(before.parents, came), came)
        surplus = [link for link in came if after.in_a_circle(link.from_id)] or [
            link for link in came if link.to_id and len(after.tree(link.from_id)) > most(link)
        ]
        if not surplus:
            return after
        standing.remove(_loser(surplus))


def _largest(links: list[Link]) -> tuple[Link, ...]:
    """At one instant the larger `to_id` wins; an empty one is the smallest."""
    winners: dict[str, Link] = {}
    for link in sorted(links, key=lambda link: (link.to_id.encode(), link.source, link.position)):
        winners[link.from_id] = link
    return tuple(winners.values())


def _replaced(parents: Mapping[str, str], came: tuple[Link, ...]) -> dict[str, str]:
    """A later link replaces an earlier one of the same `from_id`; an empty `to_id` undoes."""
    after = {**parents, **{link.from_id: link.to_id for link in came}}
    return {from_id: to_id for from_id, to_id in after.items() if to_id}


def _loser(surplus: list[Link]) -> Link:
    """Which of several links of one instant is refused, where any of them could be.

    Reading: the larger `to_id` wins here too, so the smallest is refused; of one `to_id` the largest `from_id`.
    """
    smallest = min(link.to_id.encode() for link in surplus)
    return max(
        (link for link in surplus if link.to_id.encode() == smallest),
        key=lambda link: (link.from_id.encode(), link.source, link.position),
    )
