"""What of a selection can be backfilled: segments that are not in force yet, and feature groups that are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runners.runs.outlook import versions_of
from runners.runs.rereading import read_otherwise
from runners.runs.run_plan import SegmentVersion
from runners.warehouses.backfills import definitions_of
from runners.warehouses.lake import Lake
from runners.warehouses.published import LastRun, versions
from schemas.definitions.lineage import Item, Lineage, reach
from schemas.definitions.project import Project
from schemas.definitions.selection import Selection
from schemas.errors import CallError


@dataclass(frozen=True)
class Candidates:
    """What there is to backfill.

    Attributes:
      segments: each with the number that its meaning will have.
      features: each with its meaning.
      notes: what is left out, and why.
    """

    segments: Mapping[str, SegmentVersion]
    features: Mapping[str, str]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, lake: Lake, project: Project, chosen: Selection, last: LastRun) -> "Candidates":
        """Errors: CallError where the warehouse's facts were read by other rules than those that are declared now."""
        known = versions(lake)
        now = {name: version for name, found in known.items() for version, is_current in found if is_current}
        numbers = versions_of(known, project)
        named = [name for name in chosen.segments if project.segments[name].publish]
        fresh = {name: numbers[name] for name in named if now.get(name) != numbers[name]}
        groups = {name: project.features[name].meaning for name in chosen.features}
        standing = {name: meaning for name, meaning in groups.items() if last.features.get(name) == meaning}
        asked = [*(Item("segments", name) for name in fresh), *(Item("features", name) for name in standing)]
        _see_that_facts_tell(project, last, asked)
        waiting = [f"rows of `{name}` can be written once a run has put it in force" for name in groups.keys() - standing]
        return cls(fresh, standing, tuple(sorted(waiting)))

    @property
    def definitions(self) -> str:
        """As a backfill notes them."""
        return definitions_of(self.segments, self.features)


def _see_that_facts_tell(project: Project, last: LastRun, items: Sequence[Item]) -> None:
    """Errors: CallError where a source has to be read, or to be read again, before anything can be said."""
    sources = {item.name for item in reach(items, Lineage(project).above) if item.kind == "sources"}
    unread = sorted(sources & (read_otherwise(project, last) | (project.read_as.keys() - last.read_as.keys())))
    if unread:
        names = ", ".join(f"`{name}`" for name in unread)
        message = f"the warehouse does not hold what is declared now of {names}"
        raise CallError("SEG-0921", message, "`segue run` reads it, and computes the whole history")
