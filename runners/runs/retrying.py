"""A run once more: the same T, K, definitions and inputs, whatever the clock says and whatever has come since."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from runners.runs.attempt import Attempt, refused
from runners.runs.outlook import Options, Outlook
from runners.runs.pinning import edges, ends, listed, moved, overtaken
from runners.runs.results import Results
from runners.runs.running import Outcome, carry_out, published_before
from runners.runs.step import Tell
from runners.warehouses.lake import Lake
from runners.warehouses.published import LastRun, last_run
from schemas.definitions.project import Project
from schemas.record import AnyInput, Input


def do_again(lake: Lake, project: Project, attempt: Attempt, results: Results, tell: Tell) -> Outcome:
    """Carry a run out as it was begun; one that was published, and is the last, stays as it is.

    What becomes of it is told in `results` and kept in its pin, unless it is refused.

    Errors: CallError where another run was published since, or what it was begun with is not there any more; those of a run.
    """
    last = last_run(lake)
    if last is not None and last.run_id == attempt.run_id:
        return published_before(last)
    outlook = outlook_as_begun(lake, project, attempt, last)
    results.attempt = attempt
    return carry_out(lake, outlook, tell, results)


def outlook_as_begun(lake: Lake, project: Project, attempt: Attempt, last: LastRun | None) -> Outlook:
    """What the run found when it began. Errors: CallError that says what is not so any more."""
    said, pins = attempt.said, attempt.said["pinned"]
    _see([*moved(project, said["target"], pins), *overtaken(pins, None if last is None else last.run_id)])
    options = Options(said["started_at"], pins["t"], said["known_at"], said["full_refresh"], ends(pins))
    outlook = Outlook.of(lake, project, options)
    listing = outlook.reading.listing
    there = {(one.source, one.file): one for one in listing.inputs}
    _see(list(_lost(there, pins)))
    inputs = tuple(_as_it_was(there[one["source"], one["file"]], one) for one in (*pins["inputs"], *pins["partitions"]))
    return replace(outlook, reading=outlook.reading._replace(listing=replace(listing, inputs=inputs)))


def _see(why: Sequence[str]) -> None:
    if why:
        raise refused(list(why))


def _lost(there: Mapping[tuple[str, str], AnyInput], pins: Mapping[str, Any]) -> Iterator[str]:
    """What was to be read and is not there any more, in words."""
    wanted = [*pins["inputs"], *pins["partitions"]]
    gone = [one["file"] for one in wanted if not _is_there(there.get((one["source"], one["file"])), one)]
    if gone:
        yield f"what it was to read is gone or was written anew in {listed(gone)}"


def _is_there(found: AnyInput | None, pin: Mapping[str, Any]) -> bool:
    """Whether a file has at least grown since, and a partition holds the same records."""
    if found is None:
        return False
    if not isinstance(found, Input):
        return (found.start, found.end) == (pin["start"], pin["end"])
    if (found.size, found.mtime_ns, found.inode) == (pin["size"], pin["mtime_ns"], pin["inode"]):
        return True
    has_size = found.size == pin["size"] if found.format == "parquet" else found.size >= pin["size"]
    return has_size and edges(Path(found.path), pin["size"]) == pin["edges"]


def _as_it_was(found: AnyInput, pin: Mapping[str, Any]) -> AnyInput:
    """The file as far as it reached then."""
    if not isinstance(found, Input):
        return found
    return replace(found, size=pin["size"], mtime_ns=pin["mtime_ns"], inode=pin["inode"])
