"""What a run has to say of its sources, for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from runners.runs.rereading import Reading
from runners.sources.files import format_of
from schemas.definitions.project import Project
from schemas.definitions.source import Source
from schemas.record import Input

_NEEDED = ("event_id", "event", "subject", "occurred_at", "valid_from", "claimed_at", "purpose", "action")
"""Fields without which a record is nothing."""


def notes(
    project: Project,
    reading: Reading,
    positions: Mapping[str, Any],
    undeclared: Mapping[str, int],
    unseen: Mapping[str, Mapping[str, str]],
) -> tuple[str, ...]:
    """What is not there, files that are gone or not whole, values left out, and names that no record has."""
    listing = reading.listing
    again = [f"`{name}` is read again: what is declared of it has changed" for name in sorted(reading.reread)]
    empty = [f"no file matches `{pattern}`" for pattern in listing.empty]
    absent = [f"there is no topic `{name}`" for name in listing.absent]
    lost = [f"{what} were deleted before they were read: they are skipped" for what in listing.lost]
    vanished = [f"`{name}` has vanished; its records are committed" for name in listing.vanished]
    cut, behind = _cut(reading, positions), _waiting(reading, positions)
    waiting = [_wait(name, count, name in cut) for name, count in sorted((dict.fromkeys(cut, 0) | behind).items())]
    left_out = [
        f"{count} values of fields that `{name}` does not declare were left out" for name, count in undeclared.items()
    ]
    missing = [text for name, paths in unseen.items() for text in _missing(project.sources[name], paths)]
    return (*again, *empty, *absent, *lost, *vanished, *filter(None, waiting), *left_out, *missing)


def late_news(remade: int) -> Iterator[str]:
    """How many subjects a run has made anew, if any."""
    if remade:
        who = "1 subject was" if remade == 1 else f"{remade:,} subjects were"
        yield f"{who} made anew from the warehouse: news about them reaches further back than `state_reach`"


def let_go(went: int) -> Iterator[str]:
    """How many events a run has removed, if any."""
    if went:
        what = "1 event is" if went == 1 else f"{went:,} events are"
        yield f"{what} gone, as `retention` says"


def _waiting(reading: Reading, positions: Mapping[str, Any]) -> dict[str, int]:
    """Of each file the bytes at its end that are no record yet: as it was read now, or is found unread."""
    inputs = [one for one in reading.listing.inputs if isinstance(one, Input) and one.source in positions]
    return {**reading.listing.waiting, **{one.file: positions[one.source][one.file]["waiting"] for one in inputs}}


def _cut(reading: Reading, positions: Mapping[str, Any]) -> set[str]:
    """The files whose end was missing when they were read last."""
    known = {**reading.positions, **positions}
    ends = {name: at.get("is_cut", False) for files in known.values() for name, at in files.items()}
    return {name for name, is_cut in ends.items() if is_cut and name not in reading.listing.vanished}


def _wait(name: str, count: int, is_cut: bool) -> str:
    """Of a file what waits at its end, empty where nothing does."""
    if is_cut:
        behind = f"; the last {count} bytes that can be read wait for it" if count else ""
        return f"the end of `{name}` is missing, as while a file is uploaded: it is read on when it is there{behind}"
    if not count:
        return ""
    quote = ", or a quote before them is not closed" if format_of(name)[0] == "csv" else ""
    return f"the last {count} bytes of `{name}` are no whole record: they wait for what follows{quote}"


def _missing(source: Source, unseen: Mapping[str, str]) -> Iterator[str]:
    """What the source maps and no record has: where another name is like it, or records are nothing without it."""
    needed = {path for name in _NEEDED if name in source.fields for path in source.fields[name].expression.paths}
    for path, nearest in unseen.items():
        if nearest or path in needed:
            hint = f"; did you mean `{nearest}`?" if nearest else ""
            yield f"no record of `{source.name}` that was read has a value at `{path}`{hint}"
