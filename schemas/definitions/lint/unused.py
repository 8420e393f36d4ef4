"""Properties that are declared and that nothing uses: allowed, and probably not meant."""

from collections.abc import Iterator

from schemas.definitions.columns import READ_BY_THE_KERNEL
from schemas.definitions.node import expressions
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.sessions import carried
from schemas.errors import Problem


def unused_properties(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each declared property of a source of events or profiles that no definition names."""
    used = {"events": _of_events(project), "profiles": _of_profiles(project)}
    for name, source in project.sources.items():
        for column in source.properties if source.kind in used else ():
            if column not in used[source.kind]:
                message = f"nothing uses the property `{column}`"
                place = ("properties", column)
                document = reading.documents["sources", name]
                yield document.problem("SEG-0802", message, place, of_key=True, severity="warning")


def _of_events(project: Project) -> set[str]:
    found = {*carried(project)}
    for group in project.features.values():
        found |= {*group.source.columns, *(one.of for one in group.aggregates if one.of is not None)}
    for segment in project.segments.values():
        found |= {column for one in segment.references for column in one.event_columns}
        for node in segment.when.walk():
            found |= {column for _, expression in expressions(node) for column in expression.columns}
    return found


def _of_profiles(project: Project) -> set[str]:
    named = (one.profile for segment in project.segments.values() for one in segment.references)
    return {*READ_BY_THE_KERNEL, *(name for profile in named for name, _ in profile)}
