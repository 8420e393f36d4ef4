"""What is published and what is defined, and what differs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from runners.runs.outlook import Outlook
from runners.runs.run_plan import SegmentVersion
from runners.warehouses.held import About, about
from runners.warehouses.lake import Lake
from runners.warehouses.published import versions
from schemas.definitions.composition import Composition, compositions, leaf_references, read_noted
from schemas.definitions.difference import Difference, differ
from schemas.definitions.lineage import Edges, Item, Lineage, reach
from schemas.definitions.reference import References
from schemas.definitions.segment import ActiveIn, InSegment, KnownSubjects


@dataclass(frozen=True)
class Comparison:
    """Names of segments, leaves and sources, sorted by what a run does to them. `lake` is None before the first run."""

    lake: Lake | None
    outlook: Outlook

    @cached_property
    def before(self) -> Mapping[str, SegmentVersion]:
        """The versions in force."""
        known = {} if self.lake is None else versions(self.lake)
        return {name: one for name, found in known.items() for one, is_current in found if is_current}

    @cached_property
    def composed(self) -> tuple[Mapping[str, Composition], Mapping[str, Composition]]:
        """The published and the defined segments, part by part; nothing published where the last run did not note it."""
        last = self.outlook.last
        return read_noted(last.composition) if last and last.composition else {}, compositions(self.outlook.project)

    @cached_property
    def leaves(self) -> tuple[frozenset[str], frozenset[str]]:
        """The meanings of all published and of all defined leaves."""
        before, after = ({leaf.meaning for one in found.values() for leaf in one.leaves} for found in self.composed)
        return frozenset(before), frozenset(after)

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """The new names of segments that mean what one means that is not defined any more, and its name."""
        defined = self.outlook.project.segments
        gone = {version.meaning: name for name, version in self.before.items() if name not in defined}
        new = {name: one.meaning for name, one in defined.items() if name not in self.before}
        return {name: gone.pop(meaning) for name, meaning in sorted(new.items()) if meaning in gone}

    @cached_property
    def changes(self) -> Mapping[str, str]:
        """What happens to each segment to which anything does."""
        defined, was = self.outlook.project.segments, {*self.renamed.values()}
        found = {name: self._change(name) for name in self.outlook.project.order}
        gone = dict.fromkeys(sorted(self.before.keys() - defined.keys() - was), "removed")
        return {name: change for name, change in {**found, **gone}.items() if change}

    def _change(self, name: str) -> str:
        if name not in self.before:
            return "renamed" if name in self.renamed else "new"
        before, after = (found.get(name) for found in self.composed)
        is_same = self.before[name].meaning == self.outlook.project.segments[name].meaning
        return "" if is_same and (before is None or after is None or before.publish == after.publish) else "changed"

    @cached_property
    def differences(self) -> Mapping[str, Difference]:
        """What becomes of the leaves of each segment to which anything happens."""
        before, after = self.composed
        names = {name: self.renamed.get(name, name) for name in self.changes}
        return {name: differ(before.get(was), after.get(name), self.leaves[0]) for name, was in names.items()}

    def fresh(self, name: str) -> tuple[str, ...]:
        """The leaves of a segment that are to be computed, by meaning."""
        found = self.differences[name].leaves if name in self.differences else ()
        return tuple(one.leaf.meaning for one in found if one.change in ("added", "changed"))

    def is_computed(self, name: str) -> bool:
        """Whether anything of a segment is to be computed, and not only put together otherwise."""
        return bool(self.fresh(name)) or self._has_new_population(name)

    def _has_new_population(self, name: str) -> bool:
        """Whether its population, within its purposes, is nobody's yet; to be known is computed in any case."""
        before, after = ({key: _populated(one) for key, one in found.items()} for found in self.composed)
        segment = self.outlook.project.segments.get(name)
        is_narrow = segment is not None and not isinstance(segment.population, KnownSubjects)
        return name in self.differences and is_narrow and after[name] not in before.values()

    def about(self, name: str) -> set[About]:
        """The facts from which it is computed, those of other segments that are computed for it among them."""
        if not self.is_computed(name):
            return set()
        project = self.outlook.project
        segment, refers = project.segments[name], [self._refers[meaning] for meaning in self.fresh(name)]
        found = about(project, refers, segment.purposes)
        found |= {("events", None)} if isinstance(segment.population, ActiveIn) else set()
        others = {other for one in refers for other in one.segments}
        others |= {segment.population.name} if isinstance(segment.population, InSegment) else set()
        return found.union(*map(self.about, others))

    @cached_property
    def _refers(self) -> Mapping[str, References]:
        return leaf_references(self.outlook.project)

    @cached_property
    def unread(self) -> tuple[frozenset[str], frozenset[str]]:
        """The sources that are read again from their beginning, and those of which nothing was read yet."""
        known = {} if self.outlook.last is None else self.outlook.last.positions
        inputs = {one.source for one in self.outlook.reading.listing.inputs}
        return self.outlook.reading.reread, frozenset(inputs - known.keys())

    @cached_property
    def _above(self) -> Edges:
        return Lineage(self.outlook.project).above

    def sources(self, name: str) -> set[str]:
        """The sources that a defined segment depends on."""
        return {item.name for item in reach([Item("segments", name)], self._above) if item.kind == "sources"}


def _populated(one: Composition) -> tuple[object, ...]:
    return one.population, sorted(one.purposes.items()), sorted(one.ground.items())
