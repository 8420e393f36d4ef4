"""Definitions that keep much of every event, or publish much of every subject."""

from collections.abc import Iterable, Iterator, Mapping

from schemas.definitions.datatype import DataType
from schemas.definitions.feature import FeatureGroup
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.yaml import Document
from schemas.errors import Problem

MOST = {"of features for each subject": 4_096, "kept of each event": 256}
"""Bytes that are worth a second thought."""
_WIDTHS = {"string": 24, "decimal": 16, "bool": 1}
"""Bytes of a value, about, where it is not eight."""


def expensive_definitions(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each definition that costs more bytes an event or a subject than most projects do altogether."""
    for name, group in project.features.items():
        columns = {one.of for one in group.aggregates if one.of is not None}
        costs = {"of features for each subject": _published(group), "kept of each event": _kept(columns, project)}
        yield from _told(reading.documents["features", name], "aggregates", costs)
    for name, segment in project.segments.items():
        columns = {column for one in segment.references for column in one.event_columns}
        yield from _told(reading.documents["segments", name], "when", {"kept of each event": _kept(columns, project)})


def _told(document: Document, key: str, costs: Mapping[str, int]) -> Iterator[Problem]:
    for what, cost in costs.items():
        if cost > MOST[what]:
            message, expected = f"about {cost} bytes {what}", f"at most {MOST[what]}"
            yield document.problem("SEG-0811", message, (key,), of_key=True, expected=expected, severity="warning")


def _published(group: FeatureGroup) -> int:
    """Bytes of a subject's feature row."""
    return sum(column.aggregate.most_values * width(column.type) for column in group.columns)


def _kept(columns: Iterable[str], project: Project) -> int:
    """Bytes of an event in the state."""
    return sum(width(project.event_columns[name]) for name in columns if name in project.event_columns)


def width(kind: DataType) -> int:
    """Bytes of one value, about."""
    return _WIDTHS.get((kind.item or kind).kind, 8)
