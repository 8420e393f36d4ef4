"""Instants as people give them on the command line."""

from schemas.definitions.instant import has_offset, parse_instant
from schemas.definitions.project import Project
from schemas.definitions.refusal import show
from schemas.errors import CallError


def instant_of(option: str, text: str | None, project: Project) -> int | None:
    """Microseconds of ISO 8601 with an offset, or of a date: midnight in the project's timezone. Errors: CallError."""
    if text is None:
        return None
    try:
        if len(text.strip()) > 10 and not has_offset(text):
            raise ValueError("it names no offset")
        return parse_instant(text, project.timezone)
    except ValueError:
        bare = "" if has_offset(text) else ", which names no offset"
        raise CallError(
            "SEG-0110",
            f"{option} is no instant: {show(text)}{bare if len(text.strip()) > 10 else ''}",
            "give ISO 8601 with an offset, as 2026-01-31T09:30:00Z, or a date",
        ) from None
