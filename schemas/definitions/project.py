"""`segue.yaml`: the project's name, zone, defaults and targets; and the project with all its definitions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import Field

from schemas.definitions.datatype import DataType
from schemas.definitions.feature import FeatureGroup
from schemas.definitions.instant import Instant, Timezone
from schemas.definitions.name import Name
from schemas.definitions.purpose import Purpose
from schemas.definitions.segment import AnyPopulation, KnownSubjects, Population, Segment
from schemas.definitions.source import Source
from schemas.definitions.strict import Strict
from schemas.errors import CallError, Problem

WAREHOUSES = ("ducklake:",)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class TargetForm(Strict):
    """Where to publish, and what runs the work."""

    warehouse: str
    runner: Literal["local"] = "local"
    shards: Annotated[int, Field(ge=1, le=1024)] = 16


class _Defaults(Strict):
    population: AnyPopulation = KnownSubjects()


class ProjectForm(Strict):
    """The file `segue.yaml`."""

    name: Name
    description: str = ""
    timezone: Timezone = "UTC"
    defaults: _Defaults = _Defaults()
    as_of: Instant | None = None
    state_reach: str = "35d"
    default_target: str = "dev"
    targets: Annotated[dict[str, TargetForm], Field(min_length=1)]


@dataclass(frozen=True)
class Target:
    """One target, its variables filled in. `warehouse` is an address as `ducklake:DIR`."""

    name: str
    warehouse: str
    runner: str
    shards: int


@dataclass(frozen=True)
class Project:
    """Everything that a folder defines, checked.

    Attributes:
      as_of: T in microseconds, where the project fixes it.
      event_columns, profile_columns: the union of the sources' properties.
      order: the segments, those that others refer to first.
      lists: the ids in each list file by (file, column).
      meaning: hash of all definitions.
      warnings: what is allowed and probably not meant.
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
    meaning: str
    warnings: tuple[Problem, ...]


def choose_target(form: ProjectForm, name: str | None, environment: Mapping[str, str]) -> Target:
    """The target asked for, or the default one. Errors: CallError for an unknown one or a variable that is not set."""
    wanted = name or form.default_target
    if wanted not in form.targets:
        known = ", ".join(form.targets)
        raise CallError("SEG-0404", f"no target `{wanted}`", f"there is {known}")
    target = form.targets[wanted]
    return Target(wanted, _filled(target.warehouse, environment), target.runner, target.shards)


def _filled(text: str, environment: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in environment:
            raise CallError("SEG-0405", f"the environment variable {found[1]} is not set", "set it, or choose another target")
        return environment[found[1]]

    return _VARIABLE.sub(value, text)


def find_root(start: Path) -> Path:
    """The nearest folder up that has `segue.yaml`. Errors: CallError."""
    for folder in (start, *start.parents):
        if (folder / "segue.yaml").is_file():
            return folder
    raise CallError("SEG-0400", "no segue.yaml here or above", "go to a project, or make one with `segue init DIR`")

