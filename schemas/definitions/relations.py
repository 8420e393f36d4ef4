"""What sources are expected to say of one another: columns that are unique, and values that another source has."""

from collections.abc import Iterator, Mapping

from schemas.definitions.datatype import DataType
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.refusal import listed, nearest_to, show
from schemas.definitions.source import Source
from schemas.definitions.yaml import Path
from schemas.errors import Problem

_TEXT = DataType("string")


def related(project: Project, reading: Reading) -> None:
    """See that what `expect` names is there, and of one type; what is not goes to `reading.problems`."""
    for source in project.sources.values():
        reading.problems += [*_unknown(project, reading, source), *_unlike(project, reading, source)]


def columns_of(project: Project, source: Source) -> Mapping[str, DataType]:
    """The columns of a source that may be named: of a lookup its key, else subjects, names of events and properties."""
    if source.kind == "lookup":
        return {str(source.key): _TEXT}
    own = ("subject", "event", "event_id") if source.kind == "events" else ("subject",)
    taken = {
        name: project.sources[lookup].columns[name]
        for lookup, use in source.lookups.items()
        if lookup in project.sources
        for name in use.take
        if name in project.sources[lookup].columns
    }
    return {**dict.fromkeys(own, _TEXT), **{name: one.type for name, one in source.properties.items()}, **taken}


def _unknown(project: Project, reading: Reading, source: Source) -> Iterator[Problem]:
    """The columns of its own that a source does not have."""
    document, known = reading.documents["sources", source.name], columns_of(project, source)
    unique: list[tuple[str, Path]] = [(name, ("unique", index)) for index, name in enumerate(source.expect.unique)]
    related: list[tuple[str, Path]] = [
        (one.column, ("relations", index, "column")) for index, one in enumerate(source.expect.relations)
    ]
    for name, path in (*unique, *related):
        if name not in known:
            message, nearest = f"the source declares no `{show(name)}`", nearest_to(name, known)
            yield document.problem("SEG-0304", message, ("expect", *path), expected=listed(known), nearest=nearest)


def _unlike(project: Project, reading: Reading, source: Source) -> Iterator[Problem]:
    """Relations to what is not there, or is of another type; what is of a lookup is compared as text, like its key."""
    document, own = reading.documents["sources", source.name], columns_of(project, source)
    for index, one in enumerate(source.expect.relations):
        path: Path = ("expect", "relations", index, "to")
        other = project.sources.get(one.source)
        known = {} if other is None else columns_of(project, other)
        if other is None and reading.excuses("sources", one.source):
            continue
        if one.target not in known:
            names = [f"{name}.{column}" for name, all_ in project.sources.items() for column in columns_of(project, all_)]
            nearest, expected = nearest_to(one.to, names), listed(sorted(names))
            yield document.problem("SEG-0312", f"no `{show(one.to)}`", path, expected=expected, nearest=nearest)
        elif other is not None and other.kind != "lookup" and own.get(one.column, known[one.target]) != known[one.target]:
            found = f"{known[one.target]}, and `{one.column}` is {own[one.column]}"
            yield document.problem("SEG-0205", "columns of two types have no value in common", path, found=found)
