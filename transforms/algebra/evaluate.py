"""From facts to answers: each segment as a function of T for each subject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.definitions.catalog import Project
from schemas.definitions.segment import ActiveIn, InSegment, Population, Segment
from schemas.definitions.window import Last
from transforms.algebra.answers import Answers
from transforms.algebra.facts import Facts
from transforms.algebra.order import FALSE, FOREVER, TRUE, Steps, Truths
from transforms.algebra.pending import Truth, every, remap
from transforms.algebra.project import ANY_EVENT
from transforms.algebra.stints import crossed, fed, unrefused
from transforms.algebra.timeline import Timeline
from transforms.algebra.view import View

MEMBER: Truths = np.array([FALSE, TRUE, FALSE], np.int8)
"""Unknown at the root is not a member (3.1)."""


@dataclass(frozen=True)
class Evaluation:
    """The answers about a set of subjects, for all T.

    Attributes:
      views: what the segments and features of each set of purposes see.
      answers: for each segment, whether each subject is a member.
    """

    views: dict[tuple[str, ...], View]
    answers: Mapping[str, Steps]


def evaluate(project: Project, facts: Facts, segments: Sequence[str] | None = None) -> Evaluation:
    """Answer every segment of `project`, those that others refer to first; or only `segments`, in such an order."""
    views: dict[tuple[str, ...], View] = {}
    answers = Answers()
    for name in _by_depth(project, project.order if segments is None else segments):
        segment = project.segments[name]
        view = view_of(views, segment.purposes, facts, answers)
        answers.ask(name, view, _members(view, segment))
    for group in project.features.values():
        view_of(views, group.purposes, facts, answers)
    return Evaluation(views, answers)


def evaluate_unrefused(project: Project, facts: Facts, segments: Sequence[str]) -> Mapping[str, Steps]:
    """Answer segments, in such an order, as if every purpose were open to every subject at all times.

    Nothing is published by it: it tells what consent keeps out.
    """
    answers = Answers()
    view = View(Timeline(facts, *fed(facts, unrefused(facts.judged.count)), None), answers, project)
    for name in _by_depth(project, segments):
        answers.ask(name, view, _members(view, project.segments[name]))
    return answers


def _by_depth(project: Project, names: Sequence[str]) -> list[str]:
    """The segments by how many stand one behind the other below each: those of one depth are answered together."""
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = max((depth[other] + 1 for other in project.segments[name].segments if other in depth), default=0)
    return sorted(depth, key=lambda name: depth[name])


def view_of(
    views: dict[tuple[str, ...], View],
    purposes: tuple[str, ...],
    facts: Facts,
    answers: Mapping[str, Steps],
) -> View:
    """What the segments and features of a set of purposes see, made when it is first asked for."""
    if purposes not in views:
        project = facts.grounds.project
        stints = fed(facts, crossed(facts.judged, purposes))
        timeline = Timeline(facts, *stints, lookback(project, purposes))
        views[purposes] = View(timeline, answers, project, purposes)
    return views[purposes]


def lookback(project: Project, purposes: tuple[str, ...]) -> int | None:
    """How far back events count for all of the purposes, in microseconds; None for ever."""
    limits = [limit for name in purposes if (limit := project.purposes[name].max_lookback) is not None]
    return min(limits, default=None)


def _members(view: View, segment: Segment) -> Truth:
    return every((remap(view.steps(segment.when), MEMBER), view.once(segment.population, population)))


def population(view: View, wanted: Population) -> Truth:
    """Whether each stint's subject is in the population (3.3)."""
    match wanted:
        case ActiveIn(us):
            return view.any(ANY_EVENT, Last(us))
        case InSegment(name):
            return view.of_subjects(view.answers[name])
    return view.of_subjects(_known(view.timeline.facts))


def _known(facts: Facts) -> Steps:
    first = facts.first_fact_at
    who = np.flatnonzero(first < FOREVER)
    initial = np.full(len(first), FALSE, np.int8)
    return Steps(who, first[who], np.full(len(who), TRUE, np.int8), initial)
