"""Sessions as the law has them, event by event: runs of those that count at T, with silences of at most the gap."""

from collections.abc import Iterable
from typing import Any

from tests.support.oracle_model import World, duration
from tests.support.oracle_subject import Kept, Known, refers

Told = tuple[Any, ...]
"""(subject, purpose, gap, started_at, ended_at, events, entry, exit, channel, converted)."""
Asked = tuple[tuple[str, ...], str, tuple[Any, ...]]
"""Purposes, a gap, and the references that are looked for."""
LATER = 10**17


def sessions_of(world: World, asked: Iterable[Asked], subjects: Iterable[str], at: int) -> set[Told]:
    """All sessions at T, of all who are somebody then."""
    known, subjects = Known(world, LATER), tuple(subjects)
    found = set[Told]()
    for purposes, gap, sought in asked:
        for who in subjects:
            person = known.person(who, at)
            for run in runs(person.counting(purposes, at), duration(gap)):
                found.add((who, "+".join(purposes), gap, *told(run, duration(gap), sought)))
    return found


def runs(events: list[Kept], gap: int) -> list[list[Kept]]:
    found: list[list[Kept]] = []
    for event in events:
        if not found or event.at - found[-1][-1].at > gap:
            found.append([])
        found[-1].append(event)
    return found


def told(run: list[Kept], gap: int, sought: tuple[Any, ...]) -> Told:
    first, last = run[0], run[-1]
    converted = any(refers(reference, event) for event in run for reference in sought)
    return first.at, last.at + gap, len(run), first.event, last.event, first.row.get("channel"), converted
