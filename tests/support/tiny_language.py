"""A language of seven operators and two aggregates, and a project of few lines that it can read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import model_validator

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.catalog import read_project
from schemas.definitions.comparison import AnyComparison, Comparison
from schemas.definitions.datatype import DataType
from schemas.definitions.expression import AnyExpression
from schemas.definitions.language import Language
from schemas.definitions.node import AnyNode, Node
from schemas.definitions.project import Project
from schemas.definitions.reference import AnyEventReference, EventFields, EventReference, References
from schemas.definitions.refusal import refuse
from schemas.definitions.window import AnyWindow, Lifetime
from schemas.errors import DefinitionErrors, Problem


class All(Node):
    name: ClassVar[str] = "all"
    nodes: tuple[AnyNode, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_a_list(cls, value: Any) -> Any:
        return {"nodes": value}

    @property
    def children(self) -> tuple[Node, ...]:
        return self.nodes


class Any_(All):
    name: ClassVar[str] = "any"


class Not(Node):
    name: ClassVar[str] = "not"
    node: AnyNode

    @model_validator(mode="before")
    @classmethod
    def _from_a_node(cls, value: Any) -> Any:
        return {"node": value}

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.node,)


class Did(EventFields, Node):
    name: ClassVar[str] = "did"
    can_be_unknown: ClassVar[bool] = False
    count: AnyComparison = Comparison.parse(">= 1")
    distinct: str | None = None
    window: AnyWindow = Lifetime()

    def references(self) -> References:
        return super().references() + References(event_columns=(self.distinct,) if self.distinct else ())


class Last(EventFields, Node):
    name: ClassVar[str] = "last"
    having: AnyExpression
    unless: AnyEventReference | None = None


class Property(Node):
    name: ClassVar[str] = "property"
    columns: tuple[tuple[str, AnyComparison], ...]

    @model_validator(mode="before")
    @classmethod
    def _from_columns(cls, value: Any) -> Any:
        kept = {"missing": value["missing"]} if "missing" in value else {}
        return {"columns": sorted((key, part) for key, part in value.items() if key != "missing"), **kept}

    def references(self) -> References:
        return References(profile=self.columns)


class InSegment(Node):
    name: ClassVar[str] = "in_segment"
    can_be_unknown: ClassVar[bool] = False
    segment: str

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, value: Any) -> Any:
        return {"segment": value}

    def references(self) -> References:
        return References(segments=(self.segment,))


class Feature(Node):
    name: ClassVar[str] = "aggregate"
    feature: str
    compare: AnyComparison

    def references(self) -> References:
        return References(features=(self.feature,))


class Trend(Node):
    name: ClassVar[str] = "trend"
    feature: str

    def references(self) -> References:
        return References(features=(self.feature,))


class List(Node):
    name: ClassVar[str] = "list"
    can_be_unknown: ClassVar[bool] = False
    file: str
    column: str

    def references(self) -> References:
        return References(lists=((self.file, self.column),))


class Count(Aggregate):
    op: ClassVar[str] = "count"
    takes_column: ClassVar[bool] = False
    never_missing: ClassVar[bool] = True

    def result_type(self, of: DataType | None) -> DataType:
        return DataType("int")


class Sum(Aggregate):
    op: ClassVar[str] = "sum"
    never_missing: ClassVar[bool] = True

    def result_type(self, of: DataType | None) -> DataType:
        if of is None or of.kind == "float":
            raise refuse("SEG-0208", "a sum of floats is not exact", expected="decimal(p,s)", found=str(of))
        return of


class Max(Aggregate):
    op: ClassVar[str] = "max"

    def result_type(self, of: DataType | None) -> DataType:
        return of or DataType("int")


OPERATORS = {kind.name: kind for kind in (All, Any_, Not, Did, Last, Property, InSegment, Feature, Trend, List)}
AGGREGATES = {kind.op: kind for kind in (Count, Sum, Max)}


def _always_bool(sql: str, columns: Mapping[str, DataType]) -> DataType:
    return DataType("bool")


LANGUAGE = Language(OPERATORS, AGGREGATES, _always_bool)
ANY_EVENT = EventReference(None)

FILES = {
    "segue.yaml": "name: shop\ntimezone: Europe/Berlin\ntargets: {dev: {warehouse: 'ducklake:warehouse'}}\n",
    "purposes.yaml": "purposes:\n  - {id: ads, basis: consent}\n  - {id: care, basis: legitimate_interest}\n",
    "sources/clicks.yaml": (
        "source: clicks\n"
        "kind: events\n"
        "from: {files: 'data/clicks/*.ndjson'}\n"
        "fields: {event_id: id, event: name, subject: user.id, occurred_at: at}\n"
        "properties: {amount: 'decimal(12,2)', page: string, items: int, lat: float, placed: timestamp, born: date, vip: bool,\n"
        "  words: list(string)}\n"
    ),
    "sources/people.yaml": (
        "source: people\n"
        "kind: profiles\n"
        "from: {files: 'data/people.csv'}\n"
        "fields: {subject: id, valid_from: at}\n"
        "properties: {country: string, birth_date: date, score: 'decimal(6,2)', joined: timestamp, loyal: bool}\n"
    ),
    "sources/consents.yaml": "source: consents\nkind: consents\nfrom: {files: 'data/consents.ndjson'}\n",
    "features/buying.yaml": (
        "features: buying\n"
        "purpose: ads\n"
        'source: {event: bought, where: "amount > 0"}\n'
        "aggregates:\n"
        "  - {name: orders, op: count, windows: [7d, lifetime]}\n"
        "  - {name: spend, op: sum, of: amount, windows: [30d]}\n"
        "  - {name: largest, op: max, of: amount}\n"
    ),
    "segments/buyers.yaml": "segment: buyers\npurpose: ads\nwhen: {did: {event: bought, window: 7d}}\n",
}
"""A project without a mistake."""


def write(folder: Path, **files: str) -> Path:
    """Write the project, with other or further files: `segments_new` is `segments/new.yaml`. An empty text removes one."""
    named = {_file(name): text for name, text in files.items()}
    for name, text in {**FILES, **named}.items():
        if text:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def _file(name: str) -> str:
    folder, _, rest = name.partition("_")
    return f"{folder}/{rest}.yaml" if rest else f"{name}.yaml"


def read(folder: Path, **files: str) -> Project:
    """The project with these files."""
    return read_project(write(folder, **files), LANGUAGE, environment={})


def problems(folder: Path, **files: str) -> tuple[Problem, ...]:
    """What is wrong with the project with these files."""
    try:
        read(folder, **files)
    except DefinitionErrors as error:
        return error.problems
    return ()


def told(folder: Path, **files: str) -> list[str]:
    """The same in short: `code line:column`."""
    return [f"{one.code} {one.line}:{one.column}" for one in problems(folder, **files)]


def segment(when: str, purpose: str = "ads", more: str = "") -> str:
    """The file of a segment `new`, its condition on line 3 from column 7 on."""
    return f"segment: new\npurpose: {purpose}\nwhen: {when}\n{more}"
