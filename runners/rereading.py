"""What a run reads: what is new, and again what was read by other rules than those that are declared now."""

from collections.abc import Iterable
from typing import NamedTuple

from runners.sources.files import Listing, Positions, list_inputs
from runners.warehouses.read import LastRun
from schemas.definitions.project import Project
from schemas.errors import GateClosed


class Reading(NamedTuple):
    """What to read.

    Attributes:
      listing: the files, each from where it was read to.
      reread: sources that are read from their beginning, since what is stored of them does not do.
      positions: how far the other sources were read.
    """

    listing: Listing
    reread: frozenset[str]
    positions: Positions


def what_to_read(project: Project, last: LastRun | None) -> Reading:
    """What there is to read after the last run, or of everything where there is none.

    Errors: SourceChanged; GateClosed where a source that is to be read again has lost a file.
    """
    if last is None:
        return Reading(list_inputs(project, {}), frozenset(), {})
    listing, reread = list_inputs(project, last.positions), read_otherwise(project, last)
    if not reread:
        return Reading(listing, reread, last.positions)
    _see_that_they_reach_back(listing, last.positions, reread)
    others = {name: files for name, files in last.positions.items() if name not in reread}
    return Reading(list_inputs(project, others), reread, others)


def read_otherwise(project: Project, last: LastRun) -> frozenset[str]:
    """The sources whose stored records were read by other rules, or lack a column that is declared now."""
    stored = {name: last.read_as[name] for name in project.read_as if name in last.read_as}
    return frozenset(name for name, before in stored.items() if not project.read_as[name].items() <= before.items())


def _see_that_they_reach_back(listing: Listing, known: Positions, reread: Iterable[str]) -> None:
    gone = sorted(name for source in reread for name in known.get(source, {}) if name in listing.vanished)
    if gone:
        raise GateClosed(
            "SEG-0701",
            f"what is declared of its source has changed, and `{gone[0]}` is not there to be read again",
            "restore the file, or undo the change; --full-refresh forgets the records of files that are gone",
        )
