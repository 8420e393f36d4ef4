"""What a run reads: what is new, and again what was read by other rules than those that are declared now."""

from collections.abc import Iterable
from typing import NamedTuple

from runners.sources.entry import Ends, Waiting, list_inputs
from runners.sources.files import Listing, Positions
from runners.warehouses.published import LastRun
from schemas.definitions.project import Project
from schemas.errors import GateClosed


class Reading(NamedTuple):
    """What to read.

    Attributes:
      listing: the files and partitions, each from where it was read to.
      reread: sources that are read from their beginning, since what is stored of them does not do.
      positions: how far the other sources were read.
    """

    listing: Listing
    reread: frozenset[str]
    positions: Positions


def what_to_read(
    project: Project, last: LastRun | None, ends: Ends | None = None, waiting: Waiting = lambda _: None
) -> Reading:
    """What there is to read after the last run, or of everything where there is none; of topics up to `ends`, where given.

    Errors: SourceChanged; TryAgain; GateClosed where a source that is to be read again has lost a file or records.
    """
    if last is None:
        return Reading(list_inputs(project, {}, ends, waiting), frozenset(), {})
    listing, reread = list_inputs(project, last.positions, ends, waiting), read_otherwise(project, last)
    if not reread:
        return Reading(listing, reread, last.positions)
    _see_that_they_reach_back(listing, last.positions, reread)
    others = {name: files for name, files in last.positions.items() if name not in reread}
    return Reading(list_inputs(project, others, ends, waiting), reread, others)


def read_otherwise(project: Project, last: LastRun) -> frozenset[str]:
    """The sources whose stored records were read by other rules, or lack a column that is declared now."""
    stored = {name: last.read_as[name] for name in project.read_as if name in last.read_as}
    return frozenset(name for name, before in stored.items() if not project.read_as[name].items() <= before.items())


def _see_that_they_reach_back(listing: Listing, known: Positions, reread: Iterable[str]) -> None:
    lost = {*listing.vanished, *listing.shortened}
    gone = sorted(name for source in reread for name in known.get(source, {}) if name in lost)
    if gone:
        whole = "" if gone[0] in listing.vanished else "from its beginning "
        raise GateClosed(
            "SEG-0701",
            f"what is declared of its source has changed, and `{gone[0]}` is not there {whole}to be read again",
            "restore it, or undo the change; --full-refresh forgets the records that are gone",
        )
