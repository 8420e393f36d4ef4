"""What an operator sees: one set of purposes' timeline, the profiles, the lists, and the answers of other segments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.catalog import Project
from schemas.definitions.comparison import Comparison
from schemas.definitions.feature import FeatureColumn
from schemas.definitions.node import Node
from schemas.definitions.reference import EventReference
from schemas.definitions.segment import Population
from schemas.definitions.window import Window
from transforms.algebra.columns import predicate_name, value_name
from transforms.algebra.engine import connect
from transforms.algebra.folded import is_endless, leaf_name
from transforms.algebra.measure import Bearing, Measure, Values
from transforms.algebra.order import Ints, Steps, last_of_each
from transforms.algebra.pending import Truth, reaches, remap, settled
from transforms.algebra.reduce import Contributions
from transforms.algebra.timeline import Selected, Timeline
from transforms.algebra.truth import resolve
from transforms.algebra.windows import Zones

Asked = tuple[Measure, EventReference, Window, str | None, Comparison]
"""What a leaf measures: over which events, in which window, of which column, and what it is compared with."""


class Evidence(NamedTuple):
    """The events that make a leaf what it is: while each does, and its place in the timeline."""

    rows: Contributions
    chosen: Ints


@dataclass
class View:
    """Evaluates the nodes of the segments that share one set of purposes. Equal nodes are computed once.

    Attributes:
      timeline: the stints, and the events that count in them.
      answers: the published answers of the segments that come before, as functions of T for each subject.
      project: the definitions.
      purposes: the set.
    """

    timeline: Timeline
    answers: Mapping[str, Steps]
    project: Project
    purposes: tuple[str, ...] = ()
    _known: dict[Node | Population, Truth] = field(default_factory=dict)
    _any: dict[tuple[str, Window], Truth] = field(default_factory=dict)
    _selected: dict[tuple[str, Window, str | None], tuple[Selected, Values]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of stints."""
        return self.timeline.size

    def settled(self, node: Node) -> Steps:
        """The node's truth in each stint, computed now."""
        return settled(self.steps(node), self.size)

    def steps(self, node: Node) -> Truth:
        """The node's truth in each stint, `missing` applied; computed with that of others."""
        found = self._known.get(node)
        if found is None:
            raw = node.steps(self)  # type: ignore[attr-defined]
            found = self._known[node] = raw if node.missing is None else remap(raw, resolve(node.missing))
        return found

    def once(self, population: Population, steps: Callable[["View", Population], Truth]) -> Truth:
        """The truth of a population, computed for the first segment that has it."""
        if population not in self._known:
            self._known[population] = steps(self, population)
        return self._known[population]

    def select(self, reference: EventReference, window: Window, column: str | None = None) -> tuple[Selected, Values]:
        """The contributions of the events referred to, with their values of `column`."""
        key = predicate_name(reference), window, None if column is None else value_name(column)
        found = self._selected.get(key)
        if found is None:
            found = self._selected[key] = self._select(*key)
        return found

    def _select(self, predicate: str, window: Window, name: str | None) -> tuple[Selected, Values]:
        selected = self.timeline.select(predicate, window, name)
        values = None if name is None else self.timeline.values(selected, name)
        return selected, Values(values, selected.at, self.project.timezone, partial(self._zones, selected))

    def summed(
        self, measure: Measure, reference: EventReference, window: Window, column: str | None = None
    ) -> tuple[Selected, Values]:
        """What `select` gives, where a state has kept sums instead of events with these: who bears them, and no other of then."""
        selected, values = self.select(reference, window, column)
        folded = self.timeline.facts.folded
        if folded is None or not measure.is_folded or not is_endless(window):
            return selected, values
        base = folded.bases.get(leaf_name(self.purposes, measure, reference, window))
        if base is None:
            return selected, values
        collector = self.timeline.collector[selected.chosen]
        place = np.searchsorted(base.who, collector)
        past = (np.append(base.who, -1)[place] == collector) & (selected.at <= folded.cut_at[collector])
        bears = past & last_of_each(selected.rows.who, collector, past)
        left = ~past | bears
        bearing = Bearing(np.where(bears, place, -1)[left], base.sums)
        values = values.take(left)
        return selected.take(left), Values(values.column, values.at, values.zone, values.own, bearing)

    def tells(self, chosen: Ints, reference: EventReference) -> Ints:
        """1 for each place of the timeline whose event is meant by the reference, else 0."""
        return self.timeline.facts.flags(predicate_name(reference))[self.timeline.row[chosen]].astype(np.int64)

    def events(self, chosen: Ints) -> Values:
        """What an aggregate sees of the events at these places where it looks at none of their properties."""
        return Values(None, self.timeline.at[chosen], self.project.timezone, lambda: self.timeline.zones.take(chosen))

    def _zones(self, selected: Selected) -> Zones:
        return self.timeline.zones.take(selected.chosen)

    def aggregate(self, name: str) -> tuple[EventReference, Aggregate]:
        """The events and the aggregate that `group.name` means, whatever its windows."""
        group, short = name.split(".", 1)
        owner = self.project.features[group]
        return owner.source, next(one for one in owner.aggregates if one.name == short)

    def compare(
        self, measure: Measure, reference: EventReference, window: Window, column: str | None, comparison: Comparison
    ) -> Truth:
        """The truth of a comparison with an aggregate of the events referred to."""
        selected, values = self.summed(measure, reference, window, column)
        if column is not None:
            result = measure.result_type(self.project.event_columns[column])
            comparison = comparison.for_type(result, self.project.timezone)
        return measure.steps(selected.rows, values, comparison)

    def any(self, reference: EventReference, window: Window) -> Truth:
        """Where any event referred to lies in the window."""
        key = predicate_name(reference), window
        if key not in self._any:
            self._any[key] = reaches(self.timeline.select(*key).rows)
        return self._any[key]

    def evidence(self, reference: EventReference, window: Window) -> Evidence:
        """The events referred to that lie in the window."""
        return Evidence(*self.select(reference, window)[0][:2])

    def of_subjects(self, steps: Steps) -> Steps:
        """A function of each subject as a function of each stint."""
        return self.timeline.onto_stints(steps)

    def ask(self, condition: str, **parameters: str | int) -> pa.Array:
        """The truth of an SQL condition on `subject`, for each subject."""
        con = connect()
        con.register("subjects", pa.table({"subject": self.timeline.facts.subjects}))
        asked = con.execute(f"SELECT {condition} AS holds FROM subjects", parameters).to_arrow_table()
        con.close()
        return asked["holds"].combine_chunks()

    def of_any_id(self, flags: pa.Array) -> Steps:
        """For each stint, whether the flag of any id that belongs to its subject is up."""
        kin = self.timeline.facts.kin
        return self.of_flags(flags) if kin is None else self.of_subjects(kin.any_of(np.asarray(flags).astype(np.bool_)))

    def of_flags(self, flags: pa.Array) -> Steps:
        """A truth of each subject that never changes, for each stint."""
        truth = np.asarray(flags.to_numpy(zero_copy_only=False)).astype(np.int8)[self.timeline.stints.subject]
        return Steps(np.empty(0, np.int64), np.empty(0, np.int64), truth[:0], truth)


def feature_column(project: Project, name: str) -> FeatureColumn:
    """The feature column that `group.name_window` means."""
    group, column = name.split(".", 1)
    return next(c for c in project.features[group].columns if c.name == f"{group}__{column}")
