"""Stints and the events that count in them: what every leaf is computed over."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.definitions.window import Window
from transforms.algebra.facts import Facts
from transforms.algebra.order import FOREVER, Flags, Ints, Steps, search, settle, spread, value_at
from transforms.algebra.pieces import Stints
from transforms.algebra.reduce import Contributions
from transforms.algebra.windows import Zones, interval, later


class Selected(NamedTuple):
    """The contributions of a leaf and, for each, its event: the place in the timeline and the instant."""

    rows: Contributions
    chosen: Ints
    at: Ints


class Timeline:
    """The events of `facts` as they count in each of `stints`, and for no longer than `lookback` microseconds."""

    def __init__(self, facts: Facts, stints: Stints, lookback: int | None) -> None:
        self.facts, self.stints, self.lookback = facts, stints, lookback
        low = search(facts.who, facts.at, stints.subject, stints.event_from)
        high = search(facts.who, facts.at, stints.subject, stints.event_to)
        self.who, self.row = spread(low, high)
        self.at = facts.at[self.row]

    @property
    def size(self) -> int:
        """The number of stints."""
        return len(self.stints.subject)

    @cached_property
    def zones(self) -> Zones:
        """The subject's own zone at each event (`tz: profile`)."""
        names, steps = self.facts.zones
        return Zones(names, value_at(steps, self.stints.subject[self.who], self.at).astype(np.int64))

    def matching(self, predicate: str, column: str | None = None) -> Ints:
        """The positions of the rows for which `predicate` holds and `column`, if given, is not null."""
        mask = self.flags(predicate)[self.row]
        if column is not None:
            mask &= self.facts.columns[column].is_valid().to_numpy()[self.row]
        return np.flatnonzero(mask)

    def flags(self, predicate: str) -> Flags:
        """The predicate's truth for each event of the facts."""
        return self.facts.columns[predicate].to_numpy()

    def select(self, predicate: str, window: Window, column: str | None = None) -> Selected:
        """The contributions of the matching events, clipped to their stint's use; those that never count are left out."""
        chosen = self.matching(predicate, column)
        who, at = self.who[chosen], self.at[chosen]
        rows = self.clip(Contributions(who, *interval(window, at, lambda: self.zones.take(chosen))), at)
        counting = rows.start < rows.stop
        chosen = chosen[counting]
        return Selected(rows.take(counting), chosen, at[counting])

    def clip(self, rows: Contributions, at: Ints) -> Contributions:
        """Contributions within their stint's use and the lookback; `at` is the instant of each one's event."""
        start = np.maximum(rows.start, self.stints.use_from[rows.who])
        stop = np.minimum(rows.stop, self.stints.use_to[rows.who])
        if self.lookback is not None:
            stop = np.minimum(stop, later(at, self.lookback))
        return Contributions(rows.who, start, stop)

    def values(self, selected: Selected, column: str) -> pa.Array:
        """The column's value at each contribution."""
        return self.facts.columns[column].combine_chunks().take(pa.array(self.row[selected.chosen]))

    def onto_stints(self, steps: Steps) -> Steps:
        """A function of each subject as a function of each stint, within its use."""
        stints = self.stints
        initial = value_at(steps, stints.subject, stints.use_from)
        low = search(steps.who, steps.at, stints.subject, stints.use_from, "right")
        high = search(steps.who, steps.at, stints.subject, stints.use_to)
        who, index = spread(low, high)
        return Steps(who, steps.at[index], steps.value[index], initial)

    def onto_subjects(self, steps: Steps, closed: int) -> Steps:
        """A function of each stint as a function of each subject, `closed` outside of all use."""
        stints, count = self.stints, len(self.facts.subjects)
        opening = value_at(steps, np.arange(self.size), stints.use_from)
        inside = (steps.at > stints.use_from[steps.who]) & (steps.at < stints.use_to[steps.who])
        ends = stints.use_to != FOREVER
        who = np.concatenate((stints.subject[ends], stints.subject, stints.subject[steps.who[inside]]))
        at = np.concatenate((stints.use_to[ends], stints.use_from, steps.at[inside]))
        value = np.concatenate((np.full(ends.sum(), closed), opening, steps.value[inside])).astype(np.int8)
        index = np.lexsort((at, who))
        return settle(who[index], at[index], value[index], np.full(count, closed, np.int8))
