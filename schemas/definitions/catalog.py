"""Read a project: every file, every cross-check, all problems in one report."""

import gc
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schemas.definitions.areas import read_areas
from schemas.definitions.checks import check
from schemas.definitions.feature import FeatureForm, FeatureGroup
from schemas.definitions.files import check_files
from schemas.definitions.instant import zone
from schemas.definitions.language import Language
from schemas.definitions.lint import LINTS
from schemas.definitions.lists import read_lists
from schemas.definitions.meaning import meant
from schemas.definitions.paths import matching
from schemas.definitions.project import SETTINGS, Project, ProjectForm, TargetForm, choose_target
from schemas.definitions.purpose import RegistryForm
from schemas.definitions.reading import FOLDERS, Reading
from schemas.definitions.segment import Segment, SegmentForm
from schemas.definitions.source import SourceForm, resolve_source
from schemas.definitions.targets import check_targets
from schemas.definitions.yaml import Document
from schemas.errors import DefinitionErrors, Problem

__all__ = ["Project", "read_project"]

FORMS: dict[str, type[BaseModel]] = {"sources": SourceForm, "features": FeatureForm, "segments": SegmentForm}
REGISTRY = "purposes.yaml"
"""The file of all purposes."""
NOT_YET = ("models",)
"""Folders whose definitions no command reads yet."""
_FALLBACK = ProjectForm(name="unnamed", targets={"dev": TargetForm(warehouse="ducklake:warehouse")})


def read_project(
    folder: Path,
    language: Language,
    target: str | None = None,
    environment: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Project:
    """Read and check all definitions below `folder`.

    Args:
      language: the operators, the aggregates and the engine's types.
      target: the name of a target; the project's default one if it is None.
      environment: for `${NAME}`; by default the process's own.
      texts: the files of definitions as they were (`Project.texts`), read instead of those that lie there; lists, areas
        and lookups are read from the folder all the same.

    Errors: DefinitionErrors with every problem of every file; CallError for a target that is not there, or a variable
      of it that is not set.
    """
    with _no_collections():
        return _read_project(Reading(folder.resolve(), language, kept=texts), target, environment)


@contextmanager
def _no_collections() -> Iterator[None]:
    """Reading makes many objects that stay and few that go: a collector that looks at all of them again and again
    takes a third of the time of a large project.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_project(reading: Reading, target: str | None, environment: Mapping[str, str] | None) -> Project:
    settings = _settings(reading)
    registry = _registry(reading)
    for name, form in FORMS.items():
        _read_folder(reading, name, form)
    _note_unread(reading)
    draft = check(_draft(reading, settings, registry), reading)
    check_files(draft, reading)
    check_targets(settings, target, reading)
    lists, areas = read_lists(reading, draft.sources.values()), read_areas(reading)
    if reading.problems:
        raise DefinitionErrors(sorted(reading.problems, key=_place))
    chosen = choose_target(settings, target, os.environ if environment is None else environment)
    project = meant(replace(draft, lists=lists, areas=areas, target=chosen), _lookup_contents(draft))
    for lint in LINTS:
        reading.warnings += lint(project, reading)
    return replace(project, warnings=tuple(sorted(reading.warnings, key=_place)))


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


def _settings(reading: Reading) -> ProjectForm:
    """The settings, read in their own zone, which their dates are local to; where they are wrong, defaults to go on."""
    if not reading.has(SETTINGS):
        expected = f"a file {SETTINGS}"
        reading.problems.append(Problem("SEG-0400", "the folder is no project", SETTINGS, expected=expected))
        return _FALLBACK
    document = reading.document(SETTINGS)
    if document is None:
        return _FALLBACK
    reading.documents["settings", ""] = document
    zone = document.data.get("timezone") if isinstance(document.data, dict) else None
    reading.timezone = zone if isinstance(zone, str) and _is_zone(zone) else "UTC"
    return reading.form(ProjectForm, document) or _FALLBACK


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except ValueError:
        return False
    return True


def _registry(reading: Reading) -> RegistryForm | None:
    if not reading.has(REGISTRY):
        expected = f"a file {REGISTRY}"
        missing = Problem("SEG-0402", "the registry of purposes is missing", REGISTRY, expected=expected)
        reading.problems.append(missing)
        reading.breaks("purposes", None)
        return None
    document = reading.document(REGISTRY)
    read = reading.form(RegistryForm, document) if document else None
    if document is None or read is None:
        reading.breaks("purposes", None)
        return None
    reading.documents["purposes", ""] = document
    return read


def _read_folder(reading: Reading, folder: str, form: type[BaseModel]) -> None:
    for file in reading.names(folder):
        document = reading.document(file)
        read = reading.form(form, document) if document else None
        if document is None or read is None:
            _break(reading, folder, document)
            continue
        key = FOLDERS[folder]
        name = getattr(read, key)
        if name in reading.forms[folder]:
            found = f"also in {reading.documents[folder, name].file}"
            reading.problems.append(document.problem("SEG-0300", f"`{name}` is defined twice", (key,), found=found))
            continue
        reading.forms[folder][name] = read
        reading.documents[folder, name] = document


def _break(reading: Reading, folder: str, document: Document | None) -> None:
    """Note what a file would have defined, as far as it says so."""
    if document is not None:
        reading.unread.append((folder, document))
    data = document.data if document is not None and isinstance(document.data, dict) else {}
    name = data.get(FOLDERS[folder])
    reading.breaks(folder, name if isinstance(name, str) else None)
    if folder == "sources":
        for kind in ("event_columns", "profile_columns"):
            reading.breaks(kind, *_columns_of_broken(data))


def _columns_of_broken(data: Mapping[str, Any]) -> list[str | None]:
    declared = data.get("properties", {})
    names: list[str | None] = (
        [name for name in declared if isinstance(name, str)] if isinstance(declared, dict) else [None]
    )
    return [*names, None] if not data or "lookups" in data or data.get("kind") == "lookup" else names


def _note_unread(reading: Reading) -> None:
    for folder in NOT_YET:
        for name in reading.names(folder):
            message = f"definitions in `{folder}` are not read yet"
            reading.warnings.append(Problem("SEG-0803", message, name, severity="warning"))


def _draft(reading: Reading, settings: ProjectForm, registry: RegistryForm | None) -> Project:
    """The project of everything that could be read, not checked yet."""
    return Project(
        name=settings.name,
        root=reading.root,
        timezone=settings.timezone,
        population=settings.defaults.population,
        as_of=settings.as_of,
        target=choose_target(_FALLBACK, None, {}),
        sources={name: resolve_source(form, file) for name, form, file in _read(reading, "sources")},
        purposes={purpose.id: purpose for purpose in registry.purposes} if registry else {},
        features={name: _group(form, file) for name, form, file in _read(reading, "features")},
        segments={name: _segment(form, settings, file) for name, form, file in _read(reading, "segments")},
        event_columns={},
        profile_columns={},
        order=(),
        lists={},
        areas={},
        meaning="",
        warnings=(),
        state_reach=settings.state_reach,
        roots=tuple(Path(root) for root in settings.roots),
        as_of_at=_as_of_at(reading) if settings.as_of is not None else "",
        targets=tuple(settings.targets),
        texts=reading.texts,
    )


def _as_of_at(reading: Reading) -> str:
    place = reading.documents["settings", ""].problem("", "", ("as_of",))
    return f"{place.file}:{place.line}:{place.column}"


def _read(reading: Reading, folder: str) -> Iterator[tuple[str, Any, str]]:
    for name, form in reading.forms[folder].items():
        yield name, form, reading.documents[folder, name].file


def _group(form: FeatureForm, file: str) -> FeatureGroup:
    return FeatureGroup(
        name=form.features,
        description=form.description,
        purposes=form.purpose,
        source=form.source,
        aggregates=form.aggregates,
        file=file,
        tags=form.tags,
        owner=form.owner,
    )


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


def _lookup_contents(project: Project) -> dict[str, str]:
    """The hash of the files of each lookup: their content belongs to the definitions."""
    return {
        name: _content(project, source.files) for name, source in project.sources.items() if source.kind == "lookup"
    }


def _content(project: Project, patterns: tuple[str, ...]) -> str:
    content = hashlib.sha256()
    for pattern in patterns:
        for path in matching(project.root, pattern, project.roots):
            with path.open("rb") as file:
                content.update(hashlib.file_digest(file, "sha256").digest())
    return content.hexdigest()
