"""Every definition against every other: names, types, purposes."""

from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.coherence import consented, in_order, same_columns
from schemas.definitions.columns import union
from schemas.definitions.comparison import Comparison
from schemas.definitions.conditions import Conditions
from schemas.definitions.datatype import DataType
from schemas.definitions.expression import Expression
from schemas.definitions.feature import FeatureGroup, columns_of
from schemas.definitions.node import Node, expressions
from schemas.definitions.problems import refused
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.reference import References
from schemas.definitions.refusal import listed, nearest_to, show
from schemas.definitions.relations import related
from schemas.definitions.segment import InSegment, Segment
from schemas.definitions.story import typed_story
from schemas.definitions.syntax import start
from schemas.definitions.yaml import Document, Path, find

AGE = "age"
EVENT_BUILT_IN = {"event": DataType("string"), "source": DataType("string")}
"""Columns of events beside the declared ones that conditions may name."""
MOST_NODES = 2_000
"""Nodes of one segment: what a definition may cost is bounded."""


def check(project: Project, reading: Reading) -> Project:
    """The project with its columns, order and typed stories; what is wrong goes to `reading.problems`."""
    events, profiles = union(project, reading, "events"), union(project, reading, "profiles")
    project = replace(project, event_columns=events, profile_columns=profiles)
    conditions = Conditions({**events, **EVENT_BUILT_IN}, reading.language.type_of)
    groups = {
        name: _Checks(project, reading, reading.documents["features", name], conditions).group(group)
        for name, group in project.features.items()
    }
    project = replace(project, features=groups)
    same_columns(project, reading)
    segments = {
        name: _Checks(project, reading, reading.documents["segments", name], conditions).segment(segment)
        for name, segment in project.segments.items()
    }
    for document, node, path in reading.orphans:
        _Checks(project, reading, document, conditions).node(None, node, node.references(), path)
    for folder, document in reading.unread:
        _Checks(project, reading, document, conditions).remains(folder)
    conditions.ask()
    consented(project, reading)
    related(project, reading)
    return replace(project, segments=segments, order=in_order(project, reading))


@dataclass
class _Checks:
    """The checks of one file."""

    project: Project
    reading: Reading
    document: Document
    conditions: Conditions

    def group(self, group: FeatureGroup) -> FeatureGroup:
        """A feature group with its columns, where all of them have a type."""
        self.purposes(group.purposes)
        if group.source.where is not None:
            self.condition(group.source.where, ("source", "where"))
        typed = [self.aggregate(one, ("aggregates", index)) for index, one in enumerate(group.aggregates)]
        return replace(group, columns=columns_of(group, self.conditions.columns)) if all(typed) else group

    def aggregate(self, aggregate: Aggregate, path: Path) -> bool:
        """Whether an aggregate's column is there, and of a type that it takes."""
        of = self.conditions.columns.get(aggregate.of or "")
        if aggregate.of is not None and of is None:
            self.event_column(aggregate.of, (*path, "of"))
            return False
        try:
            aggregate.result_type(of)
        except ValueError as error:
            self.refused(error, (*path, "of") if aggregate.of else path)
            return False
        return True

    def segment(self, segment: Segment) -> Segment:
        """A segment with the values of its stories as columns hold them."""
        self.purposes(segment.purposes)
        if isinstance(segment.population, InSegment):
            self.other(segment, segment.population.name, ("population",))
        nodes = list(segment.when.walk())
        if len(nodes) > MOST_NODES:
            self.problem("SEG-0118", "the segment has too many nodes", ("when",), expected=f"at most {MOST_NODES}")
        for node, found in zip(nodes, segment.references, strict=True):
            self.node(segment, node, found, self.reading.places.get(id(node), ("when",)))
        return replace(segment, tests=tuple(self.story(segment, index) for index in range(len(segment.tests))))

    def remains(self, folder: str) -> None:
        """What a definition names beside its nodes, where its form could not be read."""
        data = self.document.data if isinstance(self.document.data, dict) else {}
        if folder == "sources":
            return
        said = data.get("purpose")
        self.purposes(tuple(name for name in (said if isinstance(said, list) else [said]) if isinstance(name, str)))
        population = data.get("population")
        if isinstance(population, dict) and isinstance(name := population.get("in_segment"), str):
            self.other(None, name, ("population",))

    def node(self, segment: Segment | None, node: Node, found: References, path: Path) -> None:
        """Check what one node names and compares, and all below it."""
        for below, expression in expressions(node):
            self.condition(expression, (*path, node.name, *below))
        self.event_columns(node, found.event_columns, path)
        for name in found.segments:
            self.other(segment, name, path)
        for name in found.features:
            self.feature(segment, node, name, path)
        for column, comparison in found.profile:
            self.profile(column, comparison, path)
        for file, column in found.lists:
            self.reading.lists.append((self.document, self.at(path, file), file, column))
        for file in found.areas:
            self.reading.areas.append((self.document, self.at(path, file), file))

    def story(self, segment: Segment, index: int) -> Any:
        """Check one story against the columns that it tells of."""
        story, path = segment.tests[index], ("tests", index)
        events, profiles = self.project.event_columns, self.project.profile_columns
        typed, wrong = typed_story(story, events, profiles, self.project.timezone)
        for below, column, error in wrong:
            kind = "profile_columns" if below[0] == "profile" else "event_columns"
            if not self.reading.excuses(kind, column):
                is_unknown = getattr(error, "type", "") == "SEG-0304"
                self.refused(error, self.at((*path, *below), column), of_key=is_unknown)
        for number, row in enumerate(story.consent or ()):
            if row.purpose is not None and row.purpose not in (*segment.purposes, "*"):
                message = f"`{show(row.purpose)}` is no purpose of the segment"
                expected, where = listed(segment.purposes), self.at((*path, "consent", number), row.purpose)
                self.problem("SEG-0500", message, where, expected=expected)
        return typed

    def purposes(self, names: tuple[str, ...]) -> None:
        """Check that purposes are registered."""
        for name in names:
            if name not in self.project.purposes and not self.reading.excuses("purposes", name):
                self.unknown(
                    "SEG-0301", f"no purpose `{name}`", self.at(("purpose",), name), name, self.project.purposes
                )

    def condition(self, expression: Expression, path: Path) -> None:
        """A condition over events: its columns, then the types in it."""
        unknown = sorted(expression.columns - self.conditions.columns.keys())
        for column in unknown:
            self.event_column(
                column, path, next(start(n) for n in expression.tree.find_all(exp.Column) if n.name == column)
            )
        if not unknown:
            self.conditions.add(expression, lambda error: self.refused(error, path))

    def event_columns(self, node: Node, names: tuple[str, ...], path: Path) -> None:
        """Check the properties that a node names beside its conditions: known, and of types that it takes."""
        unknown = [name for name in names if name not in self.conditions.columns]
        for name in unknown:
            self.event_column(name, path)
        try:
            if not unknown:
                node.check_columns(self.conditions.columns)
        except ValueError as error:
            self.refused(error, (*path, node.name))

    def event_column(self, name: str, path: Path, offset: int | None = None) -> None:
        """Check that some source of events declares the property."""
        if not self.reading.excuses("event_columns", name):
            message, where = f"no source declares the property `{show(name)}`", self.at(path, name)
            self.unknown("SEG-0304", message, where, name, self.project.event_columns, offset=offset)

    def profile(self, column: str, comparison: Comparison, path: Path) -> None:
        """Check one comparison with a column of profiles."""
        columns, where = self.project.profile_columns, self.at(path, column)
        wanted = "birth_date" if column == AGE else column
        if wanted not in columns:
            if not self.reading.excuses("profile_columns", wanted):
                message = f"no source of profiles declares `{show(wanted)}`"
                self.unknown("SEG-0305", message, where, wanted, columns, of_key=True)
            return
        try:
            comparison.check(DataType("int") if column == AGE else columns[column])
        except ValueError as error:
            self.refused(error, where)

    def feature(self, segment: Segment | None, node: Node, name: str, path: Path) -> None:
        """Check a feature that a node names: known, typed, and for purposes among the segment's."""
        columns, where = self.project.feature_columns, self.at(path, name)
        owner = name.partition(".")[0]
        is_column = node.name == "aggregate"
        known = columns if is_column else self.project.feature_names
        if name not in known:
            has_no_types = owner in self.project.features and not self.project.features[owner].columns
            if not self.reading.excuses("features", owner) and not (is_column and has_no_types):
                self.unknown("SEG-0303", f"no feature `{show(name)}`", where, name, known)
            return
        self.among(segment, self.project.features[owner].purposes, name, where)
        if is_column:
            self.compared(node, name, path)
        else:
            self.taken(node, name, path)

    def compared(self, node: Node, name: str, path: Path) -> None:
        """A feature's comparison fits its type, and `missing` is said only where it can be."""
        column, comparison = self.project.feature_columns[name], getattr(node, "compare", None)
        if "missing" in node.model_fields_set and column.aggregate.never_missing:
            message = f"`{column.aggregate.op}` is never missing"
            self.problem("SEG-0108", message, (*path, node.name, "missing"), of_key=True, expected="no `missing`")
        try:
            if isinstance(comparison, Comparison):
                comparison.check(column.type)
        except ValueError as error:
            self.refused(error, (*path, node.name, "compare"))

    def taken(self, node: Node, name: str, path: Path) -> None:
        """An aggregate without its windows is one that the node can calculate with."""
        group, _, short = name.partition(".")
        aggregate = next(one for one in self.project.features[group].aggregates if one.name == short)
        of = self.conditions.columns.get(aggregate.of or "")
        try:
            if aggregate.of is None or of is not None:
                node.check_feature(aggregate, of)
        except ValueError as error:
            self.refused(error, (*path, node.name))

    def other(self, segment: Segment | None, name: str, path: Path) -> None:
        """Check a segment that another refers to."""
        where = self.at(path, name)
        if name in self.project.segments:
            self.among(segment, self.project.segments[name].purposes, name, where)
        elif not self.reading.excuses("segments", name):
            self.unknown("SEG-0302", f"no segment `{show(name)}`", where, name, self.project.segments)

    def among(self, segment: Segment | None, purposes: tuple[str, ...], name: str, path: Path) -> None:
        """Check that what is used serves purposes of the segment only."""
        foreign = [purpose for purpose in purposes if segment is not None and purpose not in segment.purposes]
        if foreign and segment is not None:
            message = f"`{name}` serves `{foreign[0]}`, which `{segment.name}` does not"
            self.problem("SEG-0307", message, path, expected=f"purposes among {listed(segment.purposes)}")

    def unknown(self, code: str, message: str, path: Path, name: str, known: Any, **more: Any) -> None:
        """Report a name that is not there, with the nearest that is."""
        expected = listed(known) or "a declared one"
        self.problem(code, message, path, expected=expected, nearest=nearest_to(name, known), **more)

    def refused(self, error: ValueError, path: Path, of_key: bool = False) -> None:
        """Report what a definition's own check refused."""
        self.reading.problems.append(refused(error, self.document, path, of_key))

    def problem(self, code: str, message: str, path: Path, **more: Any) -> None:
        """Report a problem of this document."""
        self.reading.problems.append(self.document.problem(code, message, path, **more))

    def at(self, path: Path, text: str) -> Path:
        """The place below a path where just this text stands, or the path."""
        found = find(self.document.at(path), text, path) if path in self.document.marks else None
        return found or path
