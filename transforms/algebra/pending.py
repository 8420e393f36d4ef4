"""Truths that are asked for and not computed yet: those of many nodes are computed together, all of a kind in one pass.

A node hands out what it asks for, `reaches`, `cover`, `every`, ...; `settle_all` answers. A small call costs nearly the same
for few nodes and for many then.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from transforms.algebra.chains import Instants, Pattern, starts_of_several
from transforms.algebra.gates import Table, conjoined
from transforms.algebra.order import Ints, Steps, Truths
from transforms.algebra.reduce import Contributions, Counted, Judge, Summed, Weight, covered, reached
from transforms.algebra.truth import IDENTITY, OPPOSITE

_RANK = (0, 2, 1)
"""The place of each truth from false to true, the unknown between them."""


class Sought(NamedTuple):
    """True where a match of a pattern counts: `rows` says for how long, by when the match that ends at an instant began."""

    instants: Instants
    pattern: Pattern
    rows: Callable[[Ints], Contributions]


class Gate(NamedTuple):
    """True where all children are, each put through its table."""

    edges: "tuple[tuple[Truth, Table], ...]"


Asked = Counted | Summed | Sought | Gate


class Pending:
    """What is `asked`, until it is `settled`."""

    __slots__ = ("asked", "settled")

    def __init__(self, asked: Asked) -> None:
        self.asked: Asked | None = asked
        self.settled: Steps | None = None


Truth = Steps | Pending


def reaches(rows: Contributions, threshold: int = 1, negated: bool = False) -> Truth:
    """Where at least `threshold` rows count; or, `negated`, where fewer do."""
    return Pending(Counted(rows, threshold, negated))


def cover(rows: Contributions, weights: Sequence[Weight], judge: Judge) -> Truth:
    """The truth of sums of `weights` over the rows that count, judged at every instant where one changes."""
    return Pending(Summed(rows, weights, judge))


def seek(instants: Instants, pattern: Pattern, rows: Callable[[Ints], Contributions]) -> Truth:
    """Where a match of the pattern counts."""
    return Pending(Sought(instants, pattern, rows))


def every(children: Iterable[Truth]) -> Truth:
    """True where all children are: false wins over unknown."""
    edges = [(child, _AS_IT_IS) for child in children]
    return edges[0][0] if len(edges) == 1 else _gate(edges)


def either(children: Iterable[Truth]) -> Truth:
    """True where any child is: not all not."""
    return _gate([(_gate([(child, _NOT) for child in children]), _NOT)])


def remap(child: Truth, table: Truths) -> Truth:
    """Put each truth through `table`: `not`, and `missing`."""
    return _gate([(child, _table(table))])


def _table(truths: Truths) -> Table:
    false, true, unknown = truths.tolist()
    return false, true, unknown


_AS_IT_IS, _NOT = _table(IDENTITY), _table(OPPOSITE)


def _gate(edges: Sequence[tuple[Truth, Table]]) -> Pending:
    return Pending(Gate(tuple(part for edge in edges for part in _unnested(*edge))))


def _unnested(child: Truth, table: Table) -> Sequence[tuple[Truth, Table]]:
    """The edges of a gate below instead of the gate, where the table may be applied to each of them instead of to all."""
    if isinstance(child, Steps) or not isinstance(child.asked, Gate):
        return [(child, table)]
    edges = child.asked.edges
    if len(edges) > 1 and not _rises(table):
        return [(child, table)]
    return [(part, (table[a], table[b], table[c])) for part, (a, b, c) in edges]


def _rises(table: Table) -> bool:
    """Whether what is truer stays so, or becomes equal: the least of several truths stays the least then."""
    false, true, unknown = table
    return _RANK[false] <= _RANK[unknown] <= _RANK[true]


def settled(truth: Truth, count: int) -> Steps:
    """The truth as a function of T for each of `count` who."""
    return settle_all([truth], count)[0]


def settle_all(truths: Sequence[Truth], count: int) -> list[Steps]:
    """The same for several truths."""
    for level in _levels(truths):
        for kind, together in _TOGETHER.items():
            some = [one for one in level if isinstance(one.asked, kind)]
            if some:
                _settle(some, together([one.asked for one in some], count))
    return [_steps(truth) for truth in truths]


def _settle(some: Sequence[Pending], found: Sequence[Steps]) -> None:
    for one, steps in zip(some, found, strict=True):
        one.settled, one.asked = steps, None


def _steps(truth: Truth) -> Steps:
    if isinstance(truth, Steps):
        return truth
    if truth.settled is None:
        raise RuntimeError("a truth is read before it is settled")
    return truth.settled


def _levels(truths: Iterable[Truth]) -> list[list[Pending]]:
    """What is not settled yet and needed for the truths: leaves first, then gates of which all children are known."""
    heights: dict[Pending, int] = {}
    for truth in truths:
        _climb(truth, heights)
    levels: list[list[Pending]] = [[] for _ in range(max(heights.values(), default=-1) + 1)]
    for one, height in heights.items():
        levels[height].append(one)
    return levels


def _climb(truth: Truth, heights: dict[Pending, int]) -> int:
    """Note how high above the leaves each is that is not settled; -1 for what is."""
    if isinstance(truth, Steps) or truth.asked is None:
        return -1
    if truth not in heights:
        edges = truth.asked.edges if isinstance(truth.asked, Gate) else ()
        heights[truth] = 1 + max((_climb(child, heights) for child, _ in edges), default=-1)
    return heights[truth]


def _gates(gates: Sequence[Gate], count: int) -> list[Steps]:
    return conjoined([[(_steps(child), table) for child, table in gate.edges] for gate in gates], count)


def _sought(leaves: Sequence[Sought], count: int) -> list[Steps]:
    """Those of one shape in one pass."""
    shapes: dict[tuple[int, bool], list[int]] = {}
    for place, leaf in enumerate(leaves):
        shapes.setdefault((leaf.pattern.count, leaf.pattern.listed), []).append(place)
    rows: dict[int, Contributions] = {}
    for places in shapes.values():
        began = starts_of_several([leaves[place][:2] for place in places])
        rows |= {place: leaves[place].rows(one) for place, one in zip(places, began, strict=True)}
    return reached([Counted(rows[place]) for place in range(len(leaves))], count)


_TOGETHER: dict[type, Callable[[Sequence[Any], int], list[Steps]]] = {
    Counted: reached,
    Summed: covered,
    Sought: _sought,
    Gate: _gates,
}
