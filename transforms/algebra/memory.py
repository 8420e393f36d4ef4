"""What the definitions of a project must have of the past, all leaves together."""

from collections.abc import Iterator
from typing import NamedTuple, cast

from schemas.definitions.catalog import Project
from schemas.definitions.node import Node
from schemas.definitions.segment import ActiveIn, Segment
from schemas.definitions.sessions import sessions_asked
from transforms.algebra.evaluate import lookback
from transforms.algebra.measure import Measure
from transforms.algebra.needs import Need, added_up, all_events, everything, visits, within

Purposes = tuple[str, ...]
_Found = Iterator[tuple[Purposes, Need]]


class Memory(NamedTuple):
    """What the definitions need of the past.

    Attributes:
      reach: what lies more microseconds before T than this matters to nothing but to the needs that are `held`.
      held: the needs that may look back for ever, each with its purposes.
    """

    reach: int
    held: tuple[tuple[Purposes, Need], ...]


def memory(project: Project) -> Memory:
    """What all needs come to."""
    found = list(_needs(project))
    ever = [(purposes, need) for purposes, need in found if need.reach is None]
    held = tuple((purposes, _as_bounded(need, lookback(project, purposes))) for purposes, need in ever)
    return Memory(max((need.reach for _, need in found if need.reach is not None), default=0), held)


def _as_bounded(need: Need, most: int | None) -> Need:
    """What ceases to count, each event at its own time, can be spared only then."""
    return need if most is None else need._replace(stays=everything, summed=None)


def _needs(project: Project) -> _Found:
    for segment in project.segments.values():
        yield from _of_segment(project, segment)
    for group in project.features.values():
        for column in group.columns:
            measure = cast(Measure, column.aggregate)
            yield from ((group.purposes, need) for need in added_up(measure, column.source, column.window, measure.of))
    for asked in sessions_asked(project):
        told_anew = lookback(project, asked.purposes) is not None
        yield asked.purposes, all_events() if told_anew else visits(asked.gap_us)


def _of_segment(project: Project, segment: Segment) -> _Found:
    if isinstance(segment.population, ActiveIn):
        yield segment.purposes, within(segment.population.us)
    for node in segment.when.walk():
        yield from ((segment.purposes, need) for need in _of_node(node, project))


def _of_node(node: Node, project: Project) -> tuple[Need, ...]:
    """What a leaf asks for; an operator that reads events must say it."""
    told = getattr(node, "needs", None)
    if told is not None:
        needs: tuple[Need, ...] = told(project)
        return needs
    refers = node.references()
    if refers.events or refers.features:
        raise TypeError(f"`{node.name}` reads events and does not say which of them it needs")
    return ()
