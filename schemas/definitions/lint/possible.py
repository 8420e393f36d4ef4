"""Which answers a condition can give at all, by its structure: every number, value and other condition may be anything,
but the same one is the same wherever it is compared.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from schemas.definitions.canonical import digest
from schemas.definitions.comparison import Comparison
from schemas.definitions.datatype import DataType
from schemas.definitions.lint.values import Truth, enough, every, opposite, some, truth_of
from schemas.definitions.node import Compared, Node
from schemas.definitions.project import Project
from schemas.definitions.window import Last, Lifetime
from schemas.score import ASKED

Key = tuple[Any, ...]
Part = tuple[Key, Comparison | None]
Truths = frozenset[Truth]
ALL: Truths = frozenset((True, False, None))
GATES: Mapping[str, Callable[[Iterable[Truth]], Truth]] = {
    "all": every,
    "any": some,
    "not": lambda truths: opposite(every(truths)),
}
MOST = 1_000
"""Ways to choose what is compared more than once: beyond that nothing is claimed."""
COUNTS = ("count", "distinct", "days_active")
FOREVER = 1 << 62
_INT = DataType("int")
_STATES = ("profile", "score")
"""What is compared that no event has a part in, and that may be missing."""


@dataclass
class Possible:
    """The answers that conditions of a project can give, of anybody or only of who never did anything.

    Attributes:
      parts: what each leaf compares, by the node's id.
      alone: what each leaf can be where nothing that it compares is chosen yet, by the node's id.
    """

    project: Project
    without_events: bool = False
    parts: dict[int, list[Part]] = field(default_factory=dict)
    alone: dict[int, Truths] = field(default_factory=dict)

    def answers(self, node: Node) -> Truths:
        """All that a condition can be; more than that where it would take too long to know."""
        parts = [part for leaf in node.walk() for part in self._parts(leaf)]
        times = Counter(key for key, _ in parts)
        nested = _nested([key for key in times if key[0] == "events"])
        shared = {key: times[key] for key in times if times[key] > 1 or any(key in pair for pair in nested)}
        ways = {key: self._values(key, [one for other, one in parts if _meet(other, key, nested)]) for key in shared}
        if prod(len(values) for values in ways.values()) > MOST:
            return ALL
        chosen = (dict(zip(ways, values, strict=True)) for values in product(*ways.values()))
        fitting = (values for values in chosen if all(values[inner] <= values[outer] for inner, outer in nested))
        return frozenset(truth for values in fitting for truth in self._of(node, values))

    def _of(self, node: Node, chosen: Mapping[Key, Any]) -> Truths:
        """Its answers where what is shared is as chosen."""
        if node.name in GATES:
            return _combined(GATES[node.name], [self._of(child, chosen) for child in node.children])
        if any(key in chosen for key, _ in self._parts(node)):
            return self._leaf(node, chosen)
        if id(node) not in self.alone:
            self.alone[id(node)] = self._leaf(node, {})
        return self.alone[id(node)]

    def _leaf(self, node: Node, chosen: Mapping[Key, Any]) -> Truths:
        truths = [self._part(key, comparison, chosen) for key, comparison in self._parts(node)]
        found = _combined(every, truths) if truths else node.of_nothing()
        return frozenset(node.missing if truth is None and node.missing is not None else truth for truth in found)

    def _part(self, key: Key, comparison: Comparison | None, chosen: Mapping[Key, Any]) -> Truths:
        values = (chosen[key],) if key in chosen else self._values(key, [comparison])
        return frozenset(values if comparison is None else (truth_of(comparison.tree, value) for value in values))

    def _parts(self, node: Node) -> list[Part]:
        """What a leaf compares and with what; a leaf of another kind is true or not as a whole."""
        if id(node) not in self.parts:
            self.parts[id(node)] = self._read(node)
        return self.parts[id(node)]

    def _read(self, node: Node) -> list[Part]:
        if node.name in GATES or (self.without_events and not node.compared()):
            return []
        found: list[Part] = [(one.of, self._typed(one)) for one in node.compared()]
        return found or [(("node", digest(node.meaning()), node.can_be_unknown), None)]

    def _typed(self, compared: Compared) -> Comparison:
        return compared.comparison.for_type(self._type(compared.of), self.project.timezone)

    def _values(self, key: Key, comparisons: Iterable[Comparison | None]) -> tuple[Any, ...]:
        """Values enough for these comparisons."""
        if key[0] == "node":
            return (True, False, None) if key[2] else (True, False)
        if self.without_events and key[0] not in _STATES:
            return (None if self._can_be_missing(key) else self._of_nothing(key),)
        constants = [constant for one in comparisons if one is not None for constant in one.constants]
        values = enough(constants, self._type(key), self._is_count(key))
        return (*values, None) if self._can_be_missing(key) else values

    def _of_nothing(self, key: Key) -> Any:
        return [] if self._type(key).kind == "list" else 0

    def _type(self, key: Key) -> DataType:
        if key[0] == "feature":
            return self.project.feature_columns[key[1]].type
        if key[0] == "score":
            return ASKED[key[2]]
        return _INT if key[0] == "events" or key[1] == "age" else self.project.profile_columns[key[1]]

    def _is_count(self, key: Key) -> bool:
        if key[0] == "feature":
            return self.project.feature_columns[key[1]].aggregate.op in COUNTS
        return key[0] == "events" or key == ("profile", "age")

    def _can_be_missing(self, key: Key) -> bool:
        return key[0] in _STATES or (key[0] == "feature" and not self.project.feature_columns[key[1]].aggregate.never_missing)


def _nested(keys: Sequence[Key]) -> list[tuple[Key, Key]]:
    """Numbers of the same events of which the first can not be larger: its window lies within that of the second."""
    lengths = {key: FOREVER if isinstance(key[2], Lifetime) else key[2].us for key in keys if isinstance(key[2], Last | Lifetime)}
    pairs = ((one, other) for one in lengths for other in lengths if (one[1], one[3]) == (other[1], other[3]))
    return [(one, other) for one, other in pairs if lengths[one] < lengths[other]]


def _meet(one: Key, other: Key, nested: Sequence[tuple[Key, Key]]) -> bool:
    """Whether two keys are one, or one of the windows lies within the other: then they need the same values."""
    return one == other or (one, other) in nested or (other, one) in nested


def _combined(gate: Callable[[Iterable[Truth]], Truth], parts: Iterable[Truths]) -> Truths:
    """What a gate can be where its parts are independent; two at a time, or the ways would multiply."""
    parts = [*parts]
    if gate is GATES["not"]:
        return frozenset(opposite(truth) for truth in parts[0])
    found = parts[0]
    for part in parts[1:]:
        found = frozenset(gate(pair) for pair in product(found, part))
    return found
