"""What must hold of a project as a whole: one meaning for each column, consents for consent, no circles."""

from collections.abc import Mapping

from schemas.definitions.circles import ordered
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.refusal import show
from schemas.definitions.yaml import find


def same_columns(project: Project, reading: Reading) -> None:
    """Every feature column has one name, and no name means two."""
    owners: dict[str, str] = {}
    for name, group in project.features.items():
        for column in group.columns:
            if column.name in owners:
                message = f"the column `{column.name}` is named twice"
                document = reading.documents["features", name]
                found = "here and in " + reading.documents["features", owners[column.name]].file
                reading.problems.append(document.problem("SEG-0311", message, ("aggregates",), found=found))
            owners[column.name] = name


def consented(project: Project, reading: Reading) -> None:
    """A purpose on consent needs a source of consents."""
    has_source = any(source.kind == "consents" for source in project.sources.values())
    if has_source or reading.broken.get("sources") or ("purposes", "") not in reading.documents:
        return
    document = reading.documents["purposes", ""]
    for index, purpose in enumerate(project.purposes.values()):
        if purpose.needs_consent:
            message = f"`{purpose.id}` rests on consent, and no source tells of any"
            path, expected = ("purposes", index, "basis"), "a source of `kind: consents`"
            reading.problems.append(document.problem("SEG-0308", message, path, expected=expected))


def in_order(project: Project, reading: Reading) -> tuple[str, ...]:
    """The segments, those that others refer to before them; a circle is refused."""
    graph: Mapping[str, set[str]] = {
        name: {other for other in segment.segments if other in project.segments}
        for name, segment in project.segments.items()
    }
    order, circles = ordered(graph)
    for circle in circles:
        document, path = reading.documents["segments", circle[0]], ("when",)
        found = " -> ".join((*circle, circle[0]))
        message = "segments refer to each other in a circle"
        where = find(document.at(path), circle[1 % len(circle)], path) or path
        reading.problems.append(document.problem("SEG-0306", message, where, found=show(found)))
    return order
