"""What the meaning of a segment is made of, each part as a hash: so two versions can be told apart leaf by leaf."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from schemas.definitions.canonical import digest_json
from schemas.definitions.meaning import Meanings, columns_of
from schemas.definitions.node import Node
from schemas.definitions.project import Project
from schemas.definitions.reference import References
from schemas.definitions.segment import Segment
from schemas.definitions.words import condition_in_words

_DIGITS = 16
"""Of a hash: every run keeps those of all leaves, and they are only compared."""


class Leaf(NamedTuple):
    """A node that is no gate, as it is computed within a segment's purposes.

    Attributes:
      meaning: equal for leaves whose answers are the same, whatever the segment.
      node: its operator.
      rule: what it says, in one line.
      said: the hash of its rule, with all that it refers to by name.
      about: the names that it refers to.
      columns: the declared columns that it reads, with their hashes.
    """

    meaning: str
    node: str
    rule: str
    said: str
    about: tuple[str, ...]
    columns: Mapping[str, str]


class Composition(NamedTuple):
    """The parts of a segment's meaning, as hashes.

    Attributes:
      condition: of the whole tree.
      leaves: in the order of the tree, each once.
      ground: of what is said of all facts: by source its rules, and the project's zone as ``.
      publish: whether the segment is published.
    """

    meaning: str
    condition: str
    population: str
    purposes: Mapping[str, str]
    ground: Mapping[str, str]
    leaves: tuple[Leaf, ...]
    publish: bool


def compositions(project: Project) -> dict[str, Composition]:
    """The parts of each segment's meaning."""
    meanings = Meanings(project)
    ground = _ground(meanings)
    return {name: _composition(segment, meanings, ground) for name, segment in project.segments.items()}


def leaf_references(project: Project) -> dict[str, References]:
    """What each leaf of a project refers to, by the leaf's meaning."""
    meanings = Meanings(project)
    ground = _ground(meanings)
    found: dict[str, References] = {}
    for segment in project.segments.values():
        within = [_purposes(segment, meanings), ground]
        found |= {leaf.meaning: refers for leaf, refers in _leaves(segment, meanings, within)}
    return found


def _composition(segment: Segment, meanings: Meanings, ground: Mapping[str, str]) -> Composition:
    purposes = _purposes(segment, meanings)
    leaves = (leaf for leaf, _ in _leaves(segment, meanings, [purposes, ground]))
    return Composition(
        meaning=segment.meaning,
        condition=_hash(meanings.said(segment.when, segment.references)),
        population=_hash(meanings.population(segment)),
        purposes=purposes,
        ground=ground,
        leaves=tuple({leaf.meaning: leaf for leaf in leaves}.values()),
        publish=segment.publish,
    )


def _ground(meanings: Meanings) -> dict[str, str]:
    return {name: _hash(rule) for name, rule in {"": meanings.zone, **meanings.rules}.items()}


def _purposes(segment: Segment, meanings: Meanings) -> dict[str, str]:
    return {name: _hash(meanings.purposes[name]) for name in segment.purposes}


def _leaves(segment: Segment, meanings: Meanings, within: list[Any]) -> Iterator[tuple[Leaf, References]]:
    for node, refers in zip(segment.when.walk(), segment.references, strict=True):
        if not node.children:
            yield _leaf(node, refers, meanings, within), refers


def _leaf(node: Node, refers: References, meanings: Meanings, within: list[Any]) -> Leaf:
    columns = meanings.said_of(columns_of([refers], meanings.project))
    said, read = _hash(meanings.said(node, [refers])), {name: _hash(column) for name, column in columns.items()}
    return Leaf(_hash([said, read, *within]), node.name, condition_in_words(node), said, _about(refers), read)


def _about(refers: References) -> tuple[str, ...]:
    events = {name for one in refers.events for name in (("any",) if one.events is None else one.events)}
    others = (refers.features, refers.segments, (name for name, _ in refers.profile), (file for file, _ in refers.lists))
    return tuple(sorted(events.union(*others, refers.areas, refers.models)))


def noted(found: Mapping[str, Composition]) -> dict[str, Any]:
    """Compositions as a run notes them, JSON-able: each leaf once, also where several segments share it."""
    return {
        "leaves": {leaf.meaning: [*leaf[1:]] for one in found.values() for leaf in one.leaves},
        "segments": {
            name: {**one._asdict(), "leaves": [leaf.meaning for leaf in one.leaves]} for name, one in found.items()
        },
    }


def read_noted(said: Mapping[str, Any]) -> dict[str, Composition]:
    """What `noted` has written."""
    leaves = {meaning: Leaf(meaning, *parts) for meaning, parts in said["leaves"].items()}
    leaves = {meaning: leaf._replace(about=tuple(leaf.about)) for meaning, leaf in leaves.items()}
    return {
        name: Composition(**{**one, "leaves": tuple(leaves[meaning] for meaning in one["leaves"])})
        for name, one in said["segments"].items()
    }


def _hash(said: Any) -> str:
    return digest_json(said)[:_DIGITS]
