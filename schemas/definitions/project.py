"""`segue.yaml`: the project's name, zone, defaults and targets; and the project with all its definitions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import AfterValidator, Field, JsonValue, StrictInt, ValidationInfo, model_validator

from schemas.definitions.areas import Area
from schemas.definitions.datatype import DataType
from schemas.definitions.duration import Duration, parse_duration
from schemas.definitions.engines import Flink, Prism
from schemas.definitions.feature import FeatureColumn, FeatureGroup
from schemas.definitions.instant import Instant, Timezone
from schemas.definitions.name import Name
from schemas.definitions.purpose import Purpose
from schemas.definitions.refusal import listed, nearest_to, refuse, refuse_at, show
from schemas.definitions.segment import AnyPopulation, KnownSubjects, Population, Segment
from schemas.definitions.source import Source
from schemas.definitions.source_kinds import Kind
from schemas.definitions.stores import BigQuery
from schemas.definitions.strict import Strict
from schemas.definitions.takes import takes_text
from schemas.errors import CallError, Problem
from schemas.kinds import schemas_of

SETTINGS = "segue.yaml"
"""The file that makes a folder a project."""
WAREHOUSES = ("ducklake:postgres", "ducklake", "bigquery", "parquet")
"""What an address of a warehouse may begin with, before a colon."""
Runner = Literal["local", "prism", "flink", "dataflow"]
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BIGQUERY = re.compile(r"[a-z][a-z0-9:.-]*[.:]\w+")
DEFAULT_REACH = parse_duration("35d")


def _address(text: str) -> str:
    """An address as `ducklake:DIR`; its variables are not filled in yet."""
    kind, colon, rest = text.partition(":")
    if not colon or kind not in WAREHOUSES or not rest.strip():
        expected = "ducklake:DIR, ducklake:postgres:DSN, bigquery:PROJECT.DATASET or parquet:DIR"
        # The rest may hold a password, so only the kind is shown.
        found = show(kind) if colon else "no kind of warehouse"
        raise refuse(
            "SEG-0406", "no such warehouse", expected=expected, found=found, nearest=nearest_to(kind, WAREHOUSES)
        )
    if kind == "bigquery" and "${" not in rest and _BIGQUERY.fullmatch(rest) is None:
        raise refuse("SEG-0406", "no such dataset", expected="bigquery:PROJECT.DATASET", found=show(rest))
    return text


def _root(text: str) -> str:
    if not PurePosixPath(text).is_absolute() or ".." in PurePosixPath(text).parts:
        raise refuse("SEG-0401", "no root", expected="an absolute path", found=show(text))
    return text


class TargetForm(Strict):
    """Where to publish, and what runs the work; options of a warehouse and of a runner stand under their names."""

    warehouse: Annotated[str, AfterValidator(_address), takes_text("an address", f"^({'|'.join(WAREHOUSES)}):.*\\S")]
    runner: Runner = "local"
    shards: Annotated[StrictInt, Field(ge=1, le=1024)] = 4
    local: dict[str, JsonValue] = Field(default_factory=dict)
    prism: Prism = Prism()
    flink: Flink = Flink()
    dataflow: dict[str, JsonValue] = Field(default_factory=dict)
    bigquery: BigQuery = BigQuery()

    @property
    def options(self) -> dict[str, JsonValue]:
        """The options of its runner."""
        said = getattr(self, self.runner)
        return said.model_dump() if isinstance(said, Strict) else dict(said)


class _Defaults(Strict):
    population: AnyPopulation = KnownSubjects()


class ProjectForm(Strict):
    """The file `segue.yaml`."""

    name: Name
    description: str = ""
    timezone: Timezone = "UTC"
    defaults: _Defaults = _Defaults()
    as_of: Instant | None = None
    state_reach: Duration = DEFAULT_REACH
    roots: tuple[Annotated[str, AfterValidator(_root)], ...] = ()
    default_target: str = ""
    targets: Annotated[dict[Name, TargetForm], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_its_default(self, info: ValidationInfo) -> "ProjectForm":
        if self.default_target and self.default_target not in self.targets:
            nearest = nearest_to(self.default_target, self.targets)
            error = refuse("SEG-0404", "no such target", expected=listed(self.targets), nearest=nearest)
            raise refuse_at([(("default_target",), error)])
        return self


@dataclass(frozen=True)
class Target:
    """One target, its variables filled in, which may be secrets: nothing prints them.

    Attributes:
      warehouse: an address as `ducklake:DIR`.
      options: of the runner.
      store: what is said of the warehouse beside its address.
      written: the address as it is written, for messages.
    """

    name: str
    warehouse: str = field(repr=False)
    runner: str
    shards: int
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    written: str = ""
    store: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Project:
    """Everything that a folder defines, checked.

    Attributes:
      as_of: T in microseconds, where the project fixes it; `as_of_at` is the place where it says so.
      event_columns, profile_columns: the union of the sources' properties.
      order: the segments, those that others refer to first.
      lists: the ids in each list file by (file, column).
      areas: the polygons of each GeoJSON file.
      meaning: hash of all definitions.
      warnings: what is allowed and probably not meant.
      state_reach: news that lies further back makes its subject anew from the warehouse, in microseconds (semantics 2.3).
      roots: folders outside of the project from which its sources may read.
      read_as: for each source how its records are read: the hash of each column, and of the rules for all as ``.
      lookup_contents: the hash of the content of each lookup.
      targets: the names of all targets that there are.
      texts: the text of each file of definitions, in the order in which they were read.
    """

    name: str
    root: Path
    timezone: str
    population: Population
    as_of: int | None
    target: Target
    sources: Mapping[str, Source]
    purposes: Mapping[str, Purpose]
    features: Mapping[str, FeatureGroup]
    segments: Mapping[str, Segment]
    event_columns: Mapping[str, DataType]
    profile_columns: Mapping[str, DataType]
    order: tuple[str, ...]
    lists: Mapping[tuple[str, str], pa.Array]
    areas: Mapping[str, Area]
    meaning: str
    warnings: tuple[Problem, ...]
    state_reach: int = DEFAULT_REACH
    roots: tuple[Path, ...] = ()
    read_as: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    as_of_at: str = ""
    lookup_contents: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)

    def of_kind(self, kind: Kind) -> list[str]:
        """The names of the sources of one kind."""
        return [source.name for source in self.sources.values() if source.kind == kind]

    @property
    def declared(self) -> Mapping[str, Mapping[str, DataType]]:
        """The properties that sources declare, by the kind of facts."""
        return {"events": self.event_columns, "profiles": self.profile_columns}

    @cached_property
    def schemas(self) -> Mapping[str, pa.Schema]:
        """The canonical columns of the facts of each kind."""
        return schemas_of(self.declared)

    @cached_property
    def feature_columns(self) -> Mapping[str, FeatureColumn]:
        """Every feature column by how segments refer to it: `group.name_window`."""
        return {column.reference: column for group in self.features.values() for column in group.columns}

    @cached_property
    def feature_names(self) -> frozenset[str]:
        """Every aggregate, whatever its windows, as `group.name`."""
        return frozenset(f"{group.name}.{one.name}" for group in self.features.values() for one in group.aggregates)


def wanted_target(form: ProjectForm, name: str | None) -> str:
    """The name of the target that a call means, whether it is there or not."""
    return name or form.default_target or (next(iter(form.targets)) if len(form.targets) == 1 else "dev")


def choose_target(form: ProjectForm, name: str | None, environment: Mapping[str, str]) -> Target:
    """The target asked for, or the default one. Errors: CallError for an unknown one or a variable that is not set."""
    wanted = wanted_target(form, name)
    if wanted not in form.targets:
        nearest = nearest_to(wanted, form.targets)
        hint = f"did you mean `{nearest}`?" if nearest else f"there is {listed(form.targets)}"
        raise CallError("SEG-0404", f"no target `{show(wanted)}`", hint)
    target = form.targets[wanted]
    warehouse = filled(target.warehouse, environment)
    options = {key: _filled_value(value, environment) for key, value in target.options.items()}
    store = {key: filled(value, environment) for key, value in target.bigquery.model_dump().items()}
    return Target(wanted, warehouse, target.runner, target.shards, options, target.warehouse, store)


def filled(text: str, environment: Mapping[str, str]) -> str:
    """The text with every `${NAME}` from the environment. Errors: CallError for one that is not set."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in environment:
            hint = "set it, or choose another target"
            raise CallError("SEG-0405", f"the environment variable {found[1]} is not set", hint)
        return environment[found[1]]

    return _VARIABLE.sub(value, text)


def _filled_value(value: JsonValue, environment: Mapping[str, str]) -> JsonValue:
    return filled(value, environment) if isinstance(value, str) else value


def find_root(start: Path) -> Path:
    """The nearest folder up that has `segue.yaml`. Errors: CallError."""
    for folder in (start, *start.parents):
        if (folder / SETTINGS).is_file():
            return folder
    raise CallError("SEG-0400", "no segue.yaml here or above", "go to a project, or make one with `segue init DIR`")
