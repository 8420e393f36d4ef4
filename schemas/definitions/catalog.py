"""Read a project: every file, every cross-check, all problems in one report."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schemas.definitions.canonical import digest
from schemas.definitions.checks import check
from schemas.definitions.feature import FeatureForm, FeatureGroup
from schemas.definitions.language import Language
from schemas.definitions.lists import read_lists
from schemas.definitions.meaning import purpose_meaning, segment_meanings, source_meaning
from schemas.definitions.project import Project, ProjectForm, choose_target
from schemas.definitions.purpose import RegistryForm
from schemas.definitions.segment import Segment, SegmentForm
from schemas.definitions.reading import Reading
from schemas.definitions.source import SourceForm, resolve_source
from schemas.definitions.yaml import Document
from schemas.errors import DefinitionErrors, Problem

__all__ = ["Project", "read_project"]

FOLDERS: dict[str, tuple[str, type[BaseModel]]] = {
    "sources": ("source", SourceForm),
    "features": ("features", FeatureForm),
    "segments": ("segment", SegmentForm),
}


def read_project(
    folder: Path, language: Language, target: str | None = None, environment: Mapping[str, str] | None = None
) -> Project:
    """Read and check all definitions below `folder`.

    Args:
      language: the operators, the aggregates and the engine's types.
      target: the name of a target; the project's default one if it is None.
      environment: for `${NAME}`; by default the process's own.

    Errors: DefinitionErrors with every problem of every file; CallError for a target that is not there.
    """
    reading = Reading(folder.resolve(), language)
    settings = _settings(reading)
    registry = _registry(reading)
    for name, (key, form) in FOLDERS.items():
        _read_folder(reading, name, key, form)
    _raise(reading)
    assert settings is not None and registry is not None  # noqa: S101  else there was a problem
    project = _resolve(reading, settings, registry, target, os.environ if environment is None else environment)
    _raise(reading)
    return project


def _raise(reading: Reading) -> None:
    if reading.problems:
        raise DefinitionErrors(sorted(reading.problems, key=lambda found: (found.file, found.line, found.column)))


def _settings(reading: Reading) -> ProjectForm | None:
    path = reading.root / "segue.yaml"
    if not path.is_file():
        reading.problems.append(Problem("SEG-0400", "the folder is no project", "segue.yaml", expected="a file segue.yaml"))
        return None
    document = reading.document(path)
    if document is None:
        return None
    zone = document.data.get("timezone") if isinstance(document.data, dict) else None
    found = reading.form(ProjectForm, document) if not isinstance(zone, str) else _zoned(reading, document, zone)
    reading.timezone = found.timezone if found else "UTC"
    return found


def _zoned(reading: Reading, document: Document, zone: str) -> ProjectForm | None:
    """The settings read in their own zone, which their dates are local to."""
    reading.timezone = zone
    return reading.form(ProjectForm, document)


def _registry(reading: Reading) -> RegistryForm | None:
    path = reading.root / "purposes.yaml"
    if not path.is_file():
        expected = "a file purposes.yaml"
        reading.problems.append(Problem("SEG-0402", "the registry of purposes is missing", "purposes.yaml", expected=expected))
        return None
    document = reading.document(path)
    return reading.form(RegistryForm, document) if document else None


def _files(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in root.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file())


def _read_folder(reading: Reading, folder: str, key: str, form: type[BaseModel]) -> None:
    for path in _files(reading.root / folder) if (reading.root / folder).is_dir() else ():
        document = reading.document(path)
        read = reading.form(form, document) if document else None
        if document is None or read is None:
            continue
        name = getattr(read, key)
        if name in reading.forms[folder]:
            there = reading.documents[folder, name].file
            reading.problems.append(document.problem("SEG-0300", f"`{name}` is defined twice", (key,), found=f"also in {there}"))
            continue
        reading.forms[folder][name] = read
        reading.documents[folder, name] = document


def _resolve(
    reading: Reading, settings: ProjectForm, registry: RegistryForm, target: str | None, environment: Mapping[str, str]
) -> Project:
    sources = {
        name: resolve_source(form, reading.documents["sources", name].file)
        for name, form in reading.forms["sources"].items()
    }
    draft = Project(
        name=settings.name,
        root=reading.root,
        timezone=settings.timezone,
        population=settings.defaults.population,
        as_of=settings.as_of,
        target=choose_target(settings, target, environment),
        sources=sources,
        purposes={purpose.id: purpose for purpose in registry.purposes},
        features={name: _group(form, reading.documents["features", name].file) for name, form in reading.forms["features"].items()},
        segments={name: _segment(form, settings, reading.documents["segments", name].file) for name, form in reading.forms["segments"].items()},
        event_columns={},
        profile_columns={},
        order=(),
        lists={},
        meaning="",
        warnings=(),
    )
    draft = check(draft, reading)
    return draft if reading.problems else _meant(draft, reading)


def _group(form: FeatureForm, file: str) -> FeatureGroup:
    return FeatureGroup(form.features, form.description, form.purpose, form.source, form.aggregates, file)


def _segment(form: SegmentForm, settings: ProjectForm, file: str) -> Segment:
    return Segment(
        name=form.segment,
        description=form.description,
        purposes=form.purpose,
        population=form.population or settings.defaults.population,
        tags=form.tags,
        owner=form.owner,
        when=form.when,
        publish=form.publish,
        expectations=form.expectations,
        tests=form.tests,
        file=file,
    )


def _meant(project: Project, reading: Reading) -> Project:
    """The checked project with its list files and its meanings."""
    lists = read_lists(project, reading.problems)
    if reading.problems:
        return project
    ground = [project.timezone, [source_meaning(source) for _, source in sorted(project.sources.items())]]
    segments = segment_meanings(project.segments, project.order, project.purposes, project.features, lists, ground)
    said = [
        ground,
        {name: purpose_meaning(purpose) for name, purpose in project.purposes.items()},
        {name: segment.meaning for name, segment in segments.items()},
        {column.name: [column.meaning, group.purposes] for group in project.features.values() for column in group.columns},
    ]
    return replace(project, segments=segments, lists=lists, meaning=digest(said), warnings=tuple(reading.warnings))

