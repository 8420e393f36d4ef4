"""Negations without thought for the population: a segment that also holds for everybody who never did anything."""

from collections.abc import Iterator

from schemas.definitions.lint.possible import Possible
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.segment import KnownSubjects
from schemas.errors import Problem

_ONLY_TRUE = frozenset((True,))


def whoever_never_did(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each segment over all known subjects that is true of a subject without a single event."""
    anybody, nothing = Possible(project), Possible(project, without_events=True)
    for name, segment in project.segments.items():
        if not segment.publish or not isinstance(segment.population, KnownSubjects):
            continue
        if nothing.answers(segment.when) == _ONLY_TRUE != anybody.answers(segment.when):
            message = f"everybody who never did anything is in `{name}` as well"
            expected = "population: {active_in: 90d}, or a condition that asks for something"
            document = reading.documents["segments", name]
            yield document.problem("SEG-0808", message, ("when",), of_key=True, expected=expected, severity="warning")
