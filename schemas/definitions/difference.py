"""What two versions of a segment have in common, leaf by leaf, and why the rest differs."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from schemas.definitions.composition import Composition, Leaf

Change = Literal["added", "changed", "shared", "removed"]


class LeafChange(NamedTuple):
    """What becomes of a leaf.

    Attributes:
      change: `shared` where its answers are published already, by this segment or another one.
      leaf: as it is now; of one that is removed, as it was.
      before: of one that is changed, as it was.
      because: what has changed of it: `rule`, `column NAME`, the name of what it refers to, or what all its segment's
        leaves have changed by.
    """

    change: Change
    leaf: Leaf
    before: Leaf | None = None
    because: tuple[str, ...] = ()


class Difference(NamedTuple):
    """What becomes of the leaves of a segment, and what else of it has changed.

    Attributes:
      because: `gates`, `population`, `purpose NAME`, `timezone`, `source NAME` (what it says of its facts), `publish`.
    """

    leaves: tuple[LeafChange, ...]
    because: tuple[str, ...]


def differ(before: Composition | None, after: Composition | None, published: Collection[str]) -> Difference:
    """Compare the published version of a segment with the defined one; None where there is none.

    `published` are the meanings of all published leaves.
    """
    old, new = (one.leaves if one else () for one in (before, after))
    kept = {leaf.meaning for leaf in new} & {leaf.meaning for leaf in old}
    gone = [leaf for leaf in old if leaf.meaning not in kept]
    fresh = [leaf for leaf in new if leaf.meaning not in published]
    twins = _twins(gone, fresh)
    because = _because(before, after) if before and after else ()
    around = tuple(one for one in because if one.partition(" ")[0] in ("purpose", "timezone", "source"))
    told = [_told(leaf, twins.get(leaf.meaning), leaf in fresh, around) for leaf in new]
    paired = {twin.meaning for twin in twins.values()}
    return Difference((*told, *(LeafChange("removed", leaf) for leaf in gone if leaf.meaning not in paired)), because)


def _told(leaf: Leaf, twin: Leaf | None, is_fresh: bool, around: tuple[str, ...]) -> LeafChange:
    if not is_fresh:
        return LeafChange("shared", leaf)
    return LeafChange("added", leaf) if twin is None else LeafChange("changed", leaf, twin, _reasons(twin, leaf) + around)


def _twins(gone: list[Leaf], fresh: list[Leaf]) -> dict[str, Leaf]:
    """For each fresh leaf the one that it takes the place of: of the same rule, else about the same by the same operator."""
    found: dict[str, Leaf] = {}
    likenesses: tuple[Callable[[Leaf], Any], ...] = (lambda leaf: leaf.said, lambda leaf: (leaf.node, leaf.about))
    for like in likenesses:
        open_ = [leaf for leaf in gone if leaf not in found.values()]
        for leaf in fresh:
            twin = next((one for one in open_ if like(one) == like(leaf)), None)
            if leaf.meaning not in found and twin is not None:
                found[leaf.meaning] = twin
                open_.remove(twin)
    return found


def _reasons(before: Leaf, after: Leaf) -> tuple[str, ...]:
    """What of a leaf differs; where its words are the same, something that it names means something else."""
    named = ("rule",) if before.rule != after.rule else after.about
    return (*(named if before.said != after.said else ()), *_changed("column", before.columns, after.columns))


def _because(before: Composition, after: Composition) -> tuple[str, ...]:
    """What has changed beside the leaves."""
    rules = [{leaf.said for leaf in one.leaves} for one in (before, after)]
    grounds = [{name: rule for name, rule in one.ground.items() if name} for one in (before, after)]
    said = {
        "gates": rules[0] == rules[1] and before.condition != after.condition,
        "population": before.population != after.population,
        "timezone": before.ground.get("") != after.ground.get(""),
        "publish": before.publish != after.publish,
    }
    purposes, sources = _changed("purpose", before.purposes, after.purposes), _changed("source", *grounds)
    return (*(name for name, is_changed in said.items() if is_changed), *purposes, *sources)


def _changed(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """The names of the parts that are new, gone or different."""
    return (f"{kind} {name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name))
