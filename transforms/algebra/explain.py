"""Why a subject is in a segment or not: the truth of every node at T, by the kernel that computed the history."""

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Compare, Comparison
from schemas.definitions.node import Node
from schemas.definitions.reference import EventReference
from schemas.definitions.segment import ActiveIn, InSegment, Segment
from schemas.definitions.window import Window
from schemas.definitions.words import condition_in_words
from transforms.algebra.evaluate import evaluate, population
from transforms.algebra.facts import Facts
from transforms.algebra.measure import Measure
from transforms.algebra.order import FOREVER, TRUE, UNKNOWN, Steps, search, value_at
from transforms.algebra.pending import settled
from transforms.algebra.view import View


def explain(segment: Segment, facts: Facts, events: pa.Table, at: int, subject: str) -> dict[str, Any]:
    """The truth tree of one subject at T = `at`.

    `facts` are those of all ids that were ever linked with it; `events` theirs in the same order, with `event_id`, `source`,
    `event` and `occurred_at`.
    """
    who = facts.subjects.index(subject).as_py()
    evaluation = evaluate(facts.grounds.project, facts)
    view = evaluation.views[segment.purposes]
    stint = _stint(view, who, at)
    answer = evaluation.answers[segment.name]
    return {
        "segment": segment.name,
        "member": bool(value_at(answer, np.array([who]), np.array([at]))[0] == TRUE),
        "population": _population(segment, view, stint, facts, who, at),
        "purpose_open": stint is not None,
        "tree": _Tree(view, who, stint, events, at).node(segment.when),
        "next_transition_at": _following(answer, who, at),
        **_identity(facts, who, at),
    }


def _identity(facts: Facts, who: int, at: int) -> dict[str, Any]:
    """Where the subject is one of several ids at T: who they are, and into which of the others it was merged, if it was."""
    if facts.kin is None:
        return {}
    kin, now = facts.kin, facts.kin.numbered_at(at)[who] - facts.kin.count
    if now < 0:
        return {}
    ids = facts.subjects.take(pa.array(np.unique(kin.who[kin.tree == kin.tree[now]])))
    root = int(kin.root[now])
    return {"ids": sorted(ids.to_pylist()), "merged_into": None if root == who else facts.subjects[root].as_py()}


def _stint(view: View, who: int, at: int) -> int | None:
    stints = view.timeline.stints
    using = np.flatnonzero((stints.subject == who) & (stints.use_from <= at) & (at < stints.use_to))
    return int(using[0]) if len(using) else None


def _following(steps: Steps, who: int, at: int) -> int | None:
    index = int(search(steps.who, steps.at, np.array([who]), np.array([at]), "right")[0])
    return int(steps.at[index]) if index < len(steps.who) and steps.who[index] == who else None


def _population(segment: Segment, view: View, stint: int | None, facts: Facts, who: int, at: int) -> bool:
    """Whether the subject is in the population at T; without an open purpose only being known can be told."""
    if stint is None:
        narrow = isinstance(segment.population, ActiveIn | InSegment)
        is_merged = facts.roots_at(at)[who] != who
        return not narrow and not is_merged and bool(facts.first_fact_at[who] <= at)
    steps = settled(population(view, segment.population), view.size)
    return bool(value_at(steps, np.array([stint]), np.array([at]))[0] == TRUE)


class _Tree:
    """Tells of each node; where no stint is open every node is unknown, since nothing may be used."""

    def __init__(self, view: View, who: int, stint: int | None, events: pa.Table, at: int) -> None:
        self.view, self.who, self.stint, self.events, self.at = view, who, stint, events, at

    def node(self, node: Node) -> dict[str, Any]:
        """One node of the tree, and those below it."""
        value = self._value(node)
        told: dict[str, Any] = {
            "node": node.name,
            "rule": condition_in_words(node),
            "value": value,
            "missing": node.missing,
            "numbers": {},
            "window": None,
            "decided_by": [],
            "children": [self.node(child) for child in node.children],
        }
        if self.stint is not None:
            told |= self._measured(node)
            told["next_flip_at"] = _following(self.view.settled(node), self.stint, self.at)
        return told

    def _value(self, node: Node) -> bool | None:
        if self.stint is None:
            return None
        code = int(value_at(self.view.settled(node), np.array([self.stint]), np.array([self.at]))[0])
        return None if code == UNKNOWN else code == TRUE

    def _measured(self, node: Node) -> dict[str, Any]:
        """The numbers, the window and the events of a leaf that measures events."""
        asked = measured(node, self.view)
        if asked is None:
            return self._evident(node) or self._scored(node) or self._stated(node)
        measure, reference, window, column, comparison = asked
        selected, values = self.view.select(reference, window, column)
        mine = (selected.rows.who == self.stint) & (selected.rows.start <= self.at) & (self.at < selected.rows.stop)
        rows = np.flatnonzero(mine)
        type_ = self.view.project.event_columns.get(column) if column else None
        who = np.zeros(len(rows), np.int64)
        value = measure.value(who, values.take(rows), 1, measure.result_type(type_))[0].as_py()
        decisive = self.view.timeline.row[selected.chosen[rows]]
        return {
            "numbers": {"value": value, "compared": comparison.text, **_nearest(value, comparison)},
            "window": self._window(selected.rows.start[rows], selected.rows.stop[rows]),
            "decided_by": self._events(decisive),
        }

    def _evident(self, node: Node) -> dict[str, Any] | None:
        """The events of a leaf that is no number."""
        evidence = getattr(node, "evidence", None)
        if evidence is None:
            return None
        rows, chosen = evidence(self.view)
        mine = np.flatnonzero((rows.who == self.stint) & (rows.start <= self.at) & (self.at < rows.stop))
        decided = self._events(self.view.timeline.row[np.unique(chosen[mine])])
        numbers = getattr(node, "numbers", None)
        told = {} if numbers is None else {"numbers": numbers(self.view, self.stint, self.at)}
        return {**told, "window": self._window(rows.start[mine], rows.stop[mine]), "decided_by": decided}

    def _window(self, start: np.ndarray, stop: np.ndarray) -> dict[str, int | None]:
        """From when the events counted, and when the first of them ceases to."""
        ends = stop[stop != FOREVER]
        return {
            "counted_from": int(start.min()) if len(start) else None,
            "first_ends_at": int(ends.min()) if len(ends) else None,
        }

    def _events(self, rows: np.ndarray) -> list[dict[str, Any]]:
        columns = ["source", "event_id", "event", "occurred_at"]
        return list(self.events.select(columns).take(pa.array(rows)).to_pylist()) if len(rows) else []

    def _scored(self, node: Node) -> dict[str, Any] | None:
        """What somebody else has said of the subject, where the node compares that."""
        said = getattr(node, "said", None)
        if said is None:
            return None
        steps, values, comparison = said(self.view)
        return {"numbers": _told(steps, values, comparison, self.who, self.at)}

    def _stated(self, node: Node) -> dict[str, Any]:
        """The profile values of a node that compares them."""
        values = {}
        for column, comparison in node.references().profile:
            steps, distinct = self.view.timeline.facts.grounds.profiles.column(
                "birth_date" if column == "age" else column
            )
            values[column] = _told(steps, distinct, comparison, self.who, self.at)
        return {"numbers": values}


def measured(node: Node, view: View) -> tuple[Measure, EventReference, Window, str | None, Comparison] | None:
    """What a leaf measures, over which events, and what it is compared with; None for other nodes."""
    told = getattr(node, "measured", None)
    return None if told is None else told(view)


def _told(steps: Steps, distinct: pa.Array, comparison: Comparison, who: int, at: int) -> dict[str, Any]:
    """The value of a state of the subject at T, and what it is compared with."""
    index = int(value_at(steps, np.array([who]), np.array([at]))[0])
    value = distinct[index].as_py() if index >= 0 else None
    return {"value": value, "compared": comparison.text, **_nearest(value, comparison)}


def _nearest(value: Any, comparison: Comparison) -> dict[str, Any]:
    """How far a number is from the one constant that it is compared with."""
    if not isinstance(comparison.tree, Compare) or not (_is_number(value) and _is_number(comparison.tree.constant)):
        return {}
    constant: Any = comparison.tree.constant
    if isinstance(value, float):  # as it is written: 0.7 is 0.2 above 0.5, and not a little less
        return {"distance": float(Decimal(repr(value)) - Decimal(constant))}
    return {"distance": value - constant}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
