"""Every definition against every other: names, types, purposes, circles."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from schemas.definitions.comparison import Comparison
from schemas.definitions.datatype import DataType
from schemas.definitions.families import check_families
from schemas.definitions.feature import FeatureColumn, columns_of
from schemas.definitions.node import Node
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.reference import EventReference
from schemas.definitions.refusal import listed, nearest_to
from schemas.definitions.segment import InSegment, Segment
from schemas.definitions.source import BUILT_IN, Source
from schemas.definitions.yaml import Document, Path

AGE = "age"
_EVENT_BUILT_IN = {"event": DataType("string"), "source": DataType("string")}


def check(project: Project, reading: Reading) -> Project:
    """The project with its columns and order; what is wrong goes to `reading.problems`."""
    project = replace(
        project,
        event_columns=_columns(project, reading, "events"),
        profile_columns=_columns(project, reading, "profiles"),
    )
    project = replace(project, features={name: _group(project, reading, name) for name in project.features})
    columns = {column.reference: column for group in project.features.values() for column in group.columns}
    for name, segment in project.segments.items():
        _Checks(project, reading, reading.documents["segments", name], columns).segment(segment)
    _consented(project, reading)
    return replace(project, order=_order(project, reading))


def _columns(project: Project, reading: Reading, kind: str) -> dict[str, DataType]:
    """The union of the properties of the sources of a kind, each of one type."""
    union: dict[str, DataType] = {}
    for name, source in project.sources.items():
        document = reading.documents["sources", name]
        for column, declared, path in _declared(project, reading, source, document) if source.kind == kind else ():
            if column in BUILT_IN:
                reading.problems.append(document.problem("SEG-0310", f"`{column}` is a built-in column", path, of_key=True, expected="another name"))
            elif union.setdefault(column, declared) != declared:
                expected = f"{union[column]}, as in another source"
                reading.problems.append(document.problem("SEG-0309", f"`{column}` has two types", path, expected=expected, found=str(declared)))
    return union


def _declared(
    project: Project, reading: Reading, source: Source, document: Document
) -> Iterator[tuple[str, DataType, Path]]:
    """The columns of a source: its properties, and what it takes from lookups."""
    for column, declared in source.properties.items():
        yield column, declared.type, ("properties", column)
    for name, use in source.lookups.items():
        lookup = project.sources.get(name)
        if lookup is None or lookup.kind != "lookup":
            known = [other.name for other in project.sources.values() if other.kind == "lookup"]
            nearest = nearest_to(name, known)
            reading.problems.append(document.problem("SEG-0312", f"no lookup `{name}`", ("lookups", name), of_key=True, expected=listed(known), nearest=nearest))
            continue
        for column in use.take:
            if column not in lookup.columns:
                nearest = nearest_to(column, lookup.columns)
                reading.problems.append(document.problem("SEG-0410", f"the lookup `{name}` has no `{column}`", ("lookups", name, "take"), expected=listed(lookup.columns), nearest=nearest))
            else:
                yield column, lookup.columns[column], ("lookups", name)


def _group(project: Project, reading: Reading, name: str) -> Any:
    group, document = project.features[name], reading.documents["features", name]
    checks = _Checks(project, reading, document, {})
    checks.purposes(group.purposes)
    checks.reference(group.source, ("source",))
    for index, aggregate in enumerate(group.aggregates):
        path: Path = ("aggregates", index, "of")
        checks.column(aggregate.of, path) if aggregate.of else None
        try:
            aggregate.result_type(project.event_columns.get(aggregate.of or ""))
        except ValueError as error:
            if aggregate.of is None or aggregate.of in project.event_columns:
                checks.refused(error, path)
            return group
    columns = columns_of(group, project.event_columns)
    names = [column.name for column in columns]
    for column in {one for one in names if names.count(one) > 1}:
        reading.problems.append(document.problem("SEG-0311", f"the column `{column}` is named twice", ("aggregates",)))
    return replace(group, columns=columns)


class _Checks:
    """The checks of one file."""

    def __init__(
        self, project: Project, reading: Reading, document: Document, columns: Mapping[str, FeatureColumn]
    ) -> None:
        self.project, self.reading, self.document, self.columns = project, reading, document, columns

    def segment(self, segment: Segment) -> None:
        self.purposes(segment.purposes)
        if isinstance(segment.population, InSegment):
            self.other(segment, segment.population.name, ("population", "in_segment"))
        for node, path in zip(segment.when.walk(), node_paths(self.document.data["when"], ("when",)), strict=False):
            self.node(segment, node, path)

    def node(self, segment: Segment, node: Node, path: Path) -> None:
        found = node.references()
        for reference in found.events:
            self.reference(reference, path)
        for column in found.event_columns:
            self.column(column, path)
        for name in found.segments:
            self.other(segment, name, path)
        for name in found.features:
            self.feature(segment, node, name, path)
        for column, comparison in found.profile:
            self.profile(column, comparison, path)

    def purposes(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self.project.purposes:
                self.unknown("SEG-0301", f"no purpose `{name}`", ("purpose",), name, self.project.purposes)

    def reference(self, reference: EventReference, path: Path) -> None:
        for column in sorted(reference.columns):
            if column not in _EVENT_BUILT_IN:
                self.column(column, (*path, "where"))
        columns = {**self.project.event_columns, **_EVENT_BUILT_IN}
        if reference.where is None or not reference.columns <= columns.keys():
            return
        try:
            check_families(reference.where, columns)
            kind = self.reading.language.type_of(reference.where.sql, columns)
        except ValueError as error:
            self.refused(error, (*path, "where"))
            return
        if kind.kind != "bool":
            self.problem("SEG-0204", "`where` is no condition", (*path, "where"), expected="a boolean", found=str(kind))

    def column(self, name: str, path: Path) -> None:
        if name not in self.project.event_columns:
            self.unknown("SEG-0304", f"no source declares the property `{name}`", path, name, self.project.event_columns)

    def profile(self, column: str, comparison: Comparison, path: Path) -> None:
        columns = self.project.profile_columns
        wanted = "birth_date" if column == AGE else column
        where = (*path, "property", column)
        if wanted not in columns:
            self.unknown("SEG-0305", f"no source of profiles declares `{wanted}`", where, wanted, columns)
            return
        try:
            comparison.check(DataType("int") if column == AGE else columns[column])
        except ValueError as error:
            self.refused(error, where)

    def feature(self, segment: Segment, node: Node, name: str, path: Path) -> None:
        column = self.columns.get(name)
        if column is None:
            self.unknown("SEG-0303", f"no feature `{name}`", (*path, "aggregate", "feature"), name, self.columns)
            return
        self.among(segment, self.project.features[column.group].purposes, name, path)
        if node.missing is not None and column.aggregate.never_missing:
            self.problem("SEG-0108", f"`{column.aggregate.op}` is never missing", (*path, "aggregate", "missing"), expected="no `missing`")
        try:
            comparison = getattr(node, "compare", None)
            if comparison is not None:
                comparison.check(column.type)
        except ValueError as error:
            self.refused(error, (*path, "aggregate", "compare"))

    def other(self, segment: Segment, name: str, path: Path) -> None:
        if name not in self.project.segments:
            self.unknown("SEG-0302", f"no segment `{name}`", path, name, self.project.segments)
            return
        self.among(segment, self.project.segments[name].purposes, name, path)

    def among(self, segment: Segment, purposes: tuple[str, ...], name: str, path: Path) -> None:
        foreign = [purpose for purpose in purposes if purpose not in segment.purposes]
        if foreign:
            message = f"`{name}` serves `{foreign[0]}`, which `{segment.name}` does not"
            self.problem("SEG-0307", message, path, expected=f"purposes among {listed(segment.purposes)}")

    def unknown(self, code: str, message: str, path: Path, name: str, known: Any) -> None:
        self.problem(code, message, path, expected=listed(known), nearest=nearest_to(name, known))

    def refused(self, error: ValueError, path: Path) -> None:
        details = getattr(error, "context", None) or {}
        code = getattr(error, "type", "SEG-0209")
        more = {key: details[key] for key in ("expected", "found", "nearest") if details.get(key)}
        self.problem(code, details.get("message", str(error)), path, **more)

    def problem(self, code: str, message: str, path: Path, **more: Any) -> None:
        self.reading.problems.append(self.document.problem(code, message, path, **more))


def node_paths(value: Any, path: Path) -> Iterator[Path]:
    """The paths of a tree's nodes in a file, parents first, as `Node.walk` goes."""
    yield path
    if not isinstance(value, dict) or len(value) != 1:
        return
    name, below = next(iter(value.items()))
    if isinstance(below, list):
        for index, part in enumerate(below):
            yield from node_paths(part, (*path, name, index))
    elif name == "not":
        yield from node_paths(below, (*path, name))


def _consented(project: Project, reading: Reading) -> None:
    """A purpose on consent needs a source of consents."""
    if any(source.kind == "consents" for source in project.sources.values()):
        return
    for name, purpose in project.purposes.items():
        used = [s for s in project.segments.values() if name in s.purposes] or [g for g in project.features.values() if name in g.purposes]
        if purpose.needs_consent and used:
            document = reading.documents.get(("segments", used[0].name)) or reading.documents["features", used[0].name]
            expected = "a source of `kind: consents`"
            reading.problems.append(document.problem("SEG-0308", f"`{name}` rests on consent, and no source tells of any", ("purpose",), expected=expected))


def _order(project: Project, reading: Reading) -> tuple[str, ...]:
    graph = {name: {other for other in segment.segments if other in project.segments} for name, segment in sorted(project.segments.items())}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        document = reading.documents["segments", circle[0]]
        reading.problems.append(document.problem("SEG-0306", "segments refer to each other in a circle", ("when",), found=" -> ".join(circle)))
        return ()
