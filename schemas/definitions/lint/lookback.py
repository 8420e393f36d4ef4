"""How far back a definition looks, and how far back its purposes let it."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from schemas.definitions.duration import UNITS
from schemas.definitions.project import Project
from schemas.definitions.window import Between, Calendar, Last, NamedWindow
from schemas.definitions.words import is_length
from schemas.definitions.yaml import Path

_SHORTEST = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}
"""Days of each unit at the least; an hour of daylight saving time is made up for by the events of the current unit."""


class Limit(NamedTuple):
    """The shortest time for which any of some purposes lets events count, and who says so."""

    length: int
    purpose: str
    key: str


def limit_of(project: Project, names: tuple[str, ...]) -> Limit | None:
    """What bounds the lookback of these purposes together; None where nothing does."""
    said = [
        Limit(length, name, key)
        for name in names
        for key in ("max_lookback", "retention")
        if (length := getattr(project.purposes[name], key)) is not None
    ]
    return min(said, default=None)


def lengths(model: BaseModel) -> Iterator[tuple[Path, int]]:
    """The windows and lengths of time in the fields of a model, where they are and how far back they reach."""
    for name, field in type(model).model_fields.items():
        value, key = getattr(model, name), field.alias or name
        if isinstance(value, int) and is_length(field):
            yield (key,), value
        elif (reach := reach_of(value)) is not None:
            yield (key,), reach
        elif isinstance(value, tuple):
            yield from (((key, at), reach) for at, one in enumerate(value) if (reach := reach_of(one)) is not None)


def reach_of(window: object) -> int | None:
    """How far back a window of a certain length reaches, at the least; None for others."""
    match window:
        case NamedWindow():
            return reach_of(window.window)
        case Last():
            return window.us
        case Between():
            return window.far_us
        case Calendar():
            return (window.last - window.include_current) * _SHORTEST[window.unit] * UNITS["d"]
    return None
