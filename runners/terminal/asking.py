"""Instants as people give them on the command line."""

from schemas.definitions.instant import has_offset, parse_instant
from schemas.definitions.project import Project
from schemas.definitions.refusal import show
from schemas.errors import CallError

_DATE = len("2026-01-31")

def instant_of(option: str, text: str | None, project: Project) -> int | None:
    """Microseconds of ISO 8601 with an offset, or of a date: midnight in the project's timezone. Errors: CallError."""
    if text is None:
        return None
    try:
        at = parse_instant(text, project.timezone)
    except ValueError:
        raise _no_instant(option, show(text)) from None
    if len(text.strip()) > _DATE and not has_offset(text):
        raise _no_instant(option, f"{show(text)}, which names no offset")
    return at


def _no_instant(option: str, found: str) -> CallError:
    hint = "give ISO 8601 with an offset, as 2026-01-31T09:30:00Z, or a date"
    return CallError("SEG-0110", f"{option} is no instant: {found}", hint)
