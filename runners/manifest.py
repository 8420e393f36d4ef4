"""`target/manifest.json`: every definition of a project as it was understood, with its hash and what it refers to."""

from pathlib import Path
from typing import Any

from runners.artifacts import write_artifact, written
from schemas.definitions.canonical import canonical, digest
from schemas.definitions.feature import FeatureColumn
from schemas.definitions.meaning import purpose_meaning, source_meaning
from schemas.definitions.project import Project
from schemas.definitions.segment import Segment

NAME = "manifest.json"
VERSION = 1
"""Of its form: docs/artifacts/manifest.schema.json."""


def write_manifest(project: Project) -> Path:
    """Write the manifest; gives its path. Errors: JobFailed."""
    return write_artifact(project.root, NAME, written(manifest(project)))


def manifest(project: Project) -> dict[str, Any]:
    """Every definition, resolved, with the hash of its meaning and what it refers to. JSON-able; no addresses."""
    return {
        "version": VERSION,
        "project": project.name,
        "timezone": project.timezone,
        "target": project.target.name,
        "meaning": project.meaning,
        "order": list(project.order),
        "purposes": {
            name: {
                "description": purpose.description,
                "meaning": digest(purpose_meaning(purpose)),
                "is": canonical(purpose),
            }
            for name, purpose in project.purposes.items()
        },
        "sources": {
            name: {
                "kind": source.kind,
                "file": source.file,
                "meaning": digest(source_meaning(source)),
                "is": canonical(source),
                "refers_to": {"lookups": sorted(source.lookups)},
            }
            for name, source in project.sources.items()
        },
        "features": {name: _feature(project, column) for name, column in project.feature_columns.items()},
        "segments": {name: _segment(segment) for name, segment in project.segments.items()},
    }


def _feature(project: Project, column: FeatureColumn) -> dict[str, Any]:
    group = project.features[column.group]
    return {
        "file": group.file,
        "meaning": column.meaning,
        "column": column.name,
        "type": str(column.type),
        "purposes": list(group.purposes),
        "tags": list(group.tags),
        "owner": group.owner,
        "aggregate": canonical(column.aggregate.meaning()),
        "window": canonical(column.window),
        "refers_to": {
            "events": _events([column.source]),
            "event_columns": sorted({*column.source.columns, *([column.aggregate.of] if column.aggregate.of else [])}),
        },
    }


def _segment(segment: Segment) -> dict[str, Any]:
    refers = [node.references() for node in segment.when.walk()]
    events = [reference for one in refers for reference in one.events]
    columns = {column for reference in events for column in reference.columns}
    return {
        "file": segment.file,
        "meaning": segment.meaning,
        "description": segment.description,
        "purposes": list(segment.purposes),
        "population": {"kind": type(segment.population).__name__, "is": canonical(segment.population)},
        "tags": list(segment.tags),
        "owner": segment.owner,
        "publish": segment.publish,
        "tests": [story.name for story in segment.tests],
        "when": canonical(segment.when.meaning()),
        "refers_to": {
            "segments": sorted(set(segment.segments)),
            "features": sorted({name for one in refers for name in one.features}),
            "events": _events(events),
            "event_columns": sorted(columns.union(*(one.event_columns for one in refers))),
            "profile_columns": sorted({name for one in refers for name, _ in one.profile}),
            "lists": sorted({file for one in refers for file, _ in one.lists}),
            "areas": sorted({file for one in refers for file in one.areas}),
            "models": sorted({name for one in refers for name in one.models}),
        },
    }


def _events(references: list[Any]) -> list[str]:
    """The names of the events, `any` for all of them."""
    return sorted({name for one in references for name in (("any",) if one.events is None else one.events)})
