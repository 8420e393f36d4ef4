"""Stints and the events that count in them: what every leaf is computed over."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.definitions.window import Session, Since, Window
from transforms.algebra.anchors import anchored, session_ends
from transforms.algebra.coded import whole
from transforms.algebra.columns import predicate_name
from transforms.algebra.event_order import NAMES, event_order
from transforms.algebra.facts import Facts
from transforms.algebra.order import FOREVER, Flags, Ints, Steps, firsts, lasts, search, settle, spread, value_at
from transforms.algebra.pieces import Sources, Stints
from transforms.algebra.reduce import Contributions
from transforms.algebra.stacks import apart, offsets, stacked
from transforms.algebra.windows import Zones, interval, later


class Selected(NamedTuple):
    """The contributions of a leaf and, for each, its event: the place in the timeline and the instant."""

    rows: Contributions
    chosen: Ints
    at: Ints

    def take(self, some: Flags) -> "Selected":
        """Some of them."""
        return Selected(self.rows.take(some), self.chosen[some], self.at[some])


class Timeline:
    """The events of `facts` as they count in each of `stints`, by what feeds it, for no longer than `lookback` microseconds."""

    def __init__(self, facts: Facts, stints: Stints, sources: Sources, lookback: int | None) -> None:
        self.facts, self.stints, self.sources, self.lookback = facts, stints, sources, lookback
        self.who, self.row = _fed(facts, sources)
        self.at = facts.at[self.row]
        self._matching: dict[tuple[str, str | None], Ints] = {}
        self._selected: dict[tuple[str, Window, str | None], Selected] = {}

    @property
    def size(self) -> int:
        """The number of stints."""
        return len(self.stints.subject)

    @cached_property
    def collector(self) -> Ints:
        """Who collected each event: the stint's subject, or an id that is merged into it."""
        return self.facts.who[self.row]

    @cached_property
    def zones(self) -> Zones:
        """The subject's own zone at each event (`tz: profile`)."""
        names, steps = self.facts.zones
        return Zones(names, value_at(steps, self.stints.subject[self.who], self.at).astype(np.int64))

    def matching(self, predicate: str, column: str | None = None) -> Ints:
        """The positions of the rows for which `predicate` holds and `column`, if given, is not null."""
        if (predicate, column) not in self._matching:
            mask = self.facts.flags(predicate)
            if column is not None:
                mask = mask & self.facts.columns[column].is_valid().to_numpy()
            self._matching[predicate, column] = np.flatnonzero(mask[self.row])
        return self._matching[predicate, column]

    def select(self, predicate: str, window: Window, column: str | None = None) -> Selected:
        """The contributions of the matching events, clipped to their stint's use; those that never count are left out."""
        if (predicate, window, column) not in self._selected:
            self._selected[predicate, window, column] = self._select(predicate, window, column)
        return self._selected[predicate, window, column]

    def _select(self, predicate: str, window: Window, column: str | None) -> Selected:
        chosen = self.matching(predicate, column)
        who, at = self.who[chosen], self.at[chosen]
        rows = self.clip(Contributions(who, *self.interval(window, chosen)), at)
        counting = rows.start < rows.stop
        if counting.all():
            return Selected(rows, chosen, at)
        return Selected(rows, chosen, at).take(counting)

    def interval(self, window: Window, chosen: Ints) -> tuple[Ints, Ints]:
        """Where the events at these places count: `start` and `stop` of each, half-open; empty where start >= stop."""
        who, at = self.who[chosen], self.at[chosen]
        match window:
            case Session(gap):
                return at, session_ends(self.who, self.at, gap)[chosen]
            case Since(anchor):
                anchors = self.matching(predicate_name(anchor))
                return at, anchored(self.who[anchors], self.at[anchors], who, at, self.lookback)
        return interval(window, at, lambda: self.zones.take(chosen))

    def clip(self, rows: Contributions, at: Ints) -> Contributions:
        """Contributions within their stint's use and the lookback; `at` is the instant of each one's event."""
        start = np.maximum(rows.start, self.stints.use_from[rows.who])
        stop = np.minimum(rows.stop, self.stints.use_to[rows.who])
        if self.lookback is not None:
            stop = np.minimum(stop, later(at, self.lookback))
        return Contributions(rows.who, start, stop)

    def values(self, selected: Selected, column: str) -> pa.Array:
        """The column's value at each contribution."""
        return whole(self.facts.columns[column]).take(pa.array(self.row[selected.chosen]))

    def onto_stints(self, steps: Steps) -> Steps:
        """A function of each subject as a function of each stint, within its use."""
        stints = self.stints
        initial = value_at(steps, stints.subject, stints.use_from)
        low = search(steps.who, steps.at, stints.subject, stints.use_from, "right")
        high = search(steps.who, steps.at, stints.subject, stints.use_to)
        who, index = spread(low, high)
        return Steps(who, steps.at[index], steps.value[index], initial)

    def onto_subjects(self, many: Sequence[Steps], closed: int) -> list[Steps]:
        """Functions of each stint as functions of each subject, `closed` outside of all use."""
        steps, stints = stacked(many, self.size), self._repeated(len(many))
        number = len(stints.subject)
        opening = value_at(steps, np.arange(number), stints.use_from)
        inside = np.flatnonzero((steps.at > stints.use_from[steps.who]) & (steps.at < stints.use_to[steps.who]))
        sizes = np.bincount(steps.who[inside], minlength=number) + 2  # each stint opens, has its steps, and ends
        ends = np.cumsum(sizes) - 1
        opens = ends - sizes + 1
        at, value = np.empty(int(sizes.sum()), np.int64), np.empty(int(sizes.sum()), np.int8)
        between = np.ones(len(at), np.bool_)
        between[opens] = between[ends] = False
        at[opens], at[ends], at[between] = stints.use_from, stints.use_to, steps.at[inside]
        value[opens], value[ends], value[between] = opening, closed, steps.value[inside]
        bounded = at != FOREVER
        who = np.repeat(stints.subject, sizes)[bounded]
        count = len(self.facts.subjects)
        settled = settle(who, at[bounded], value[bounded], np.full(len(many) * count, closed, np.int8))
        return apart(settled, len(many), count)

    def _repeated(self, times: int) -> Stints:
        """The stints of all subjects once for each of several nodes, stacked."""
        if times == 1:
            return self.stints
        subject, *others = (np.tile(column, times) for column in self.stints)
        return Stints(subject + offsets([self.size] * times, len(self.facts.subjects)), *others)


def _fed(facts: Facts, sources: Sources) -> tuple[Ints, Ints]:
    """The stint and the place among the facts of each event that a source gives, in order (2.5) within each stint."""
    low = search(facts.who, facts.at, sources.who, sources.event_from)
    high = search(facts.who, facts.at, sources.who, sources.event_to)
    source, row = spread(low, high)
    who = sources.stint[source]
    alone = firsts(sources.stint) & lasts(sources.stint)
    among = np.flatnonzero(~alone[source])
    if len(among):
        collected_by = facts.subjects.take(pa.array(facts.who[row[among]]))
        names = facts.names.take(pa.array(row[among])).select(NAMES).append_column("subject", collected_by)
        index = event_order(who[among], facts.at[row[among]], names)
        row[among] = row[among[index]]
    return who, row
