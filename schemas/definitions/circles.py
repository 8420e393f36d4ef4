"""The order of segments: those that others refer to first; and the circles that have none."""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter


def ordered(graph: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The names in an order in which each follows those that it refers to, and the circles that had to be broken.

    Of names that no reference orders the smaller comes first. A circle begins with its smallest name and refers on.
    """
    edges = {name: sorted(set(others)) for name, others in sorted(graph.items())}
    circles: list[tuple[str, ...]] = []
    while True:
        try:
            return tuple(_levels(edges)), circles
        except CycleError as error:
            circle = _from_smallest(error.args[1])
            circles.append(circle)
            edges[circle[0]].remove(circle[1 % len(circle)])


def _levels(edges: Mapping[str, Iterable[str]]) -> Iterator[str]:
    sorter = TopologicalSorter(edges)
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        yield from ready
        sorter.done(*ready)


def _from_smallest(found: list[str]) -> tuple[str, ...]:
    """graphlib tells a circle from what is referred to, its first name again at the end."""
    circle = found[:0:-1]
    start = circle.index(min(circle))
    return (*circle[start:], *circle[:start])
