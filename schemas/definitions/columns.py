"""The columns that sources declare: the union of their properties, each of one type (semantics 2.8)."""

from collections.abc import Iterator
from typing import Any

from schemas.definitions.datatype import DataType
from schemas.definitions.expression import Expression
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.refusal import listed, nearest_to
from schemas.definitions.source import BUILT_IN, Source
from schemas.definitions.yaml import Document, Path

READ_BY_THE_KERNEL = {
    "birth_date": DataType("date"),
    "timezone": DataType("string"),
    "country": DataType("string"),
}
"""Profile columns that have a meaning of their own: age, the subject's zone, the jurisdiction."""
RESERVED = frozenset({"missing"})
"""Keys of `property` that are no columns."""


def union(project: Project, reading: Reading, kind: str) -> dict[str, DataType]:
    """The columns of all sources of a kind; what can not be so goes to `reading.problems`."""
    found: dict[str, DataType] = {}
    first: dict[str, str] = {}
    for name, source in project.sources.items():
        document = reading.documents["sources", name]
        for column, declared, path in _declared(project, reading, source, document) if source.kind == kind else ():
            if _is_taken(column, declared, kind, document, reading, path):
                continue
            if found.setdefault(column, declared) != declared:
                expected = f"{found[column]}, as in {first[column]}"
                more: dict[str, Any] = {"expected": expected, "found": str(declared)}
                reading.problems.append(document.problem("SEG-0309", f"`{column}` has two types", path, **more))
            first.setdefault(column, document.file)
    return found


def _is_taken(column: str, declared: DataType, kind: str, document: Document, reading: Reading, path: Path) -> bool:
    """Whether a name can not be a column's: a built-in one, or one that the kernel reads as something else."""
    if column in BUILT_IN or (kind == "profiles" and column in RESERVED):
        message = f"`{column}` is a built-in name"
        reading.problems.append(document.problem("SEG-0310", message, path, of_key=True, expected="another name"))
        return True
    wanted = READ_BY_THE_KERNEL.get(column) if kind == "profiles" else None
    if wanted is not None and wanted != declared:
        message = f"`{column}` of a profile has a meaning of its own"
        more: dict[str, Any] = {"expected": str(wanted), "found": str(declared)}
        reading.problems.append(document.problem("SEG-0313", message, path, **more))
        return True
    return False


def _declared(
    project: Project, reading: Reading, source: Source, document: Document
) -> Iterator[tuple[str, DataType, Path]]:
    """The columns of a source with their places: its properties, and what it takes from lookups."""
    for column, declared in source.properties.items():
        yield column, declared.type, ("properties", column)
    for name, use in source.lookups.items():
        lookup = project.sources.get(name)
        path: Path = ("lookups", name)
        _check_key(reading, document, use.on, path)
        if lookup is None or lookup.kind != "lookup":
            _report_unknown_lookup(project, reading, document, name)
            continue
        for index, column in enumerate(use.take):
            below: Path = (*path, "take", index)
            if column in lookup.columns:
                yield from _unless_declared(column, lookup.columns[column], source, document, reading, below)
            else:
                more: dict[str, Any] = {
                    "expected": listed(lookup.columns),
                    "nearest": nearest_to(column, lookup.columns),
                }
                message = f"the lookup `{name}` has no `{column}`"
                reading.problems.append(document.problem("SEG-0410", message, below, **more))


def _unless_declared(
    column: str, kind: DataType, source: Source, document: Document, reading: Reading, path: Path
) -> Iterator[tuple[str, DataType, Path]]:
    """A column of a lookup, unless the source says it itself or takes it from two."""
    takers = [name for name, use in source.lookups.items() if column in use.take]
    if column in source.properties or (len(takers) > 1 and path[1] != takers[0]):
        message = f"`{column}` comes from two places"
        reading.problems.append(document.problem("SEG-0311", message, path, expected="one of them"))
        return
    yield column, kind, path


def _check_key(reading: Reading, document: Document, on: str, path: Path) -> None:
    """The key is a raw column of the source, in dots where it is nested."""
    try:
        simple = len(Expression.parse_field(on).paths) == 1 and Expression.parse_field(on).sql.startswith('"')
    except ValueError:
        simple = False
    if not simple:
        message = "the key of a lookup is a column of the records"
        reading.problems.append(document.problem("SEG-0410", message, (*path, "on"), expected="on: a column"))


def _report_unknown_lookup(project: Project, reading: Reading, document: Document, name: str) -> None:
    if reading.excuses("sources", name):
        return
    known = [other.name for other in project.sources.values() if other.kind == "lookup"]
    more: dict[str, Any] = {
        "expected": listed(known) or "a source of `kind: lookup`",
        "nearest": nearest_to(name, known),
    }
    message = f"no lookup `{name}`"
    reading.problems.append(document.problem("SEG-0312", message, ("lookups", name), of_key=True, **more))
