"""Windows that reach further back than their purposes let any event count."""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.definitions.duration import write_duration
from schemas.definitions.lint.lookback import Limit, lengths, limit_of
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.segment import ActiveIn, Segment
from schemas.definitions.yaml import Document, Path
from schemas.errors import Problem


def too_far_back(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each window or length of time that is longer than `max_lookback` or `retention` allows."""
    definitions: Mapping[str, Mapping[str, Any]] = {"segments": project.segments, "features": project.features}
    for folder, found in definitions.items():
        for name, one in found.items():
            document, limit = reading.documents[folder, name], limit_of(project, one.purposes)
            reaches = _of_segment(one, reading) if isinstance(one, Segment) else _of_group(one)
            if limit is not None:
                yield from (_problem(document, path, reach, limit) for path, reach in reaches if reach > limit.length)


def _of_segment(segment: Segment, reading: Reading) -> Iterator[tuple[Path, int]]:
    for node in segment.when.walk():
        place = reading.places.get(id(node), ("when",))
        yield from (((*place, node.name, *path), reach) for path, reach in lengths(node))
    if isinstance(segment.population, ActiveIn):
        yield ("population",), segment.population.us


def _of_group(group: Any) -> Iterator[tuple[Path, int]]:
    for index, aggregate in enumerate(group.aggregates):
        yield from ((("aggregates", index, *path), reach) for path, reach in lengths(aggregate))


def _problem(document: Document, path: Path, reach: int, limit: Limit) -> Problem:
    message = f"{write_duration(reach)} back is further than any event counts for `{limit.purpose}`"
    expected = f"at most {write_duration(limit.length)}, its `{limit.key}`"
    return document.problem("SEG-0807", message, path, expected=expected, severity="warning")
