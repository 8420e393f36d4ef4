"""What definitions amount to, in numbers, for people."""

from typing import Any

import pyarrow as pa

from schemas.definitions.project import Project
from transforms.algebra.program import Program
from transforms.algebra.state import empty_state

_TEXT = 24
"""Bytes that a short text takes, about."""
_TRANSITION = 25
"""Bytes of one believed transition."""


def describe(project: Project, program: Program) -> dict[str, Any]:
    """Counts, the purposes touched, and how many bytes of state an event and a subject cost."""
    served = [one.purposes for one in project.segments.values()] + [one.purposes for one in project.features.values()]
    used = {name for purposes in served for name in purposes}
    events = empty_state(program).facts["events"]
    return {
        "name": project.name,
        "segments": len(project.segments),
        "features": len(program.feature_schema),
        "sources": len(project.sources),
        "purposes": sorted(used),
        "state_bytes_per_event": sum(_width(column.type) for column in events.schema),
        "state_bytes_per_subject": _TEXT
        + 8
        + 2 * _TRANSITION * len(project.segments)
        + sum(_width(c.type) for c in program.feature_schema),
        "meaning": project.meaning,
    }


def _width(kind: pa.DataType) -> int:
    try:
        return max(1, kind.bit_width // 8)
    except ValueError:
        return _TEXT
