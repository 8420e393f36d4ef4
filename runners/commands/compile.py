"""`segue compile`: the SQL that segments and features become, and the manifest of all definitions."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from runners.commands.options import AllowEmpty, Select

if TYPE_CHECKING:
    from schemas.definitions.feature import FeatureColumn
    from schemas.definitions.project import Project
    from schemas.definitions.segment import Segment
    from schemas.definitions.selection import Selection

MANIFEST = Path("target/manifest.json")
COMPILED = Path("target/compiled")
VERSION = 1
"""Of the manifest's form."""


def compile_(ctx: typer.Context, select: Select = None, allow_empty: AllowEmpty = False) -> None:
    """Write the SQL of segments and features to target/compiled/, and target/manifest.json."""
    session = ctx.obj
    project = session.project()
    for warning in project.warnings:
        session.note(warning.render())
    chosen = chosen_of(project, select, allow_empty)
    texts = {**_texts(project, chosen), MANIFEST: json.dumps(manifest(project), indent=2, ensure_ascii=False) + "\n"}
    for path, text in texts.items():
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(text, encoding="utf-8")
    written = [str(project.root / path) for path in texts]
    if session.format == "json":
        session.json(written)
    else:
        session.say("\n".join(written))


def chosen_of(project: "Project", text: str | None, allow_empty: bool) -> "Selection":
    """The segments and feature groups that are selected. Errors: CallError, NothingSelected."""
    from schemas.definitions.selection import Selection, select
    from schemas.errors import NothingSelected

    try:
        chosen = select(project, text)
        if not chosen.segments and not chosen.features:
            raise NothingSelected("SEG-0903", "no segment or feature is selected", "`segue ls` lists what there is")
    except NothingSelected:
        if not allow_empty:
            raise
        return Selection((), ())
    return chosen


def manifest(project: "Project") -> dict[str, Any]:
    """Every definition, resolved, with the hash of its meaning and what it refers to. JSON-able; no addresses."""
    from schemas.definitions.canonical import digest
    from schemas.definitions.meaning import purpose_meaning, source_meaning

    return {
        "version": VERSION,
        "project": project.name,
        "timezone": project.timezone,
        "target": project.target.name,
        "meaning": project.meaning,
        "order": list(project.order),
        "purposes": {
            name: {"description": purpose.description, "meaning": digest(purpose_meaning(purpose))}
            for name, purpose in project.purposes.items()
        },
        "sources": {
            name: {"kind": source.kind, "file": source.file, "meaning": digest(source_meaning(source))}
            for name, source in project.sources.items()
        },
        "features": {name: _feature(project, column) for name, column in project.feature_columns.items()},
        "segments": {name: _segment(segment) for name, segment in project.segments.items()},
    }


def _feature(project: "Project", column: "FeatureColumn") -> dict[str, Any]:
    from schemas.definitions.canonical import canonical

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


def _segment(segment: "Segment") -> dict[str, Any]:
    from schemas.definitions.canonical import canonical

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
        },
    }


def _events(references: list[Any]) -> list[str]:
    """The names of the events, `any` for all of them."""
    return sorted({name for one in references for name in (("any",) if one.events is None else one.events)})


def _texts(project: "Project", chosen: "Selection") -> dict[Path, str]:
    """The files by path, relative to the project."""
    from schemas.definitions.lineage import narrow

    return {
        **{
            COMPILED / "segments" / f"{name}.sql": _segment_sql(
                project.segments[name], narrow(project, "segments", name)
            )
            for name in chosen.segments
        },
        **{
            COMPILED / "features" / f"{name}.sql": _feature_sql(narrow(project, "features", name), name)
            for name in chosen.features
        },
    }


def _segment_sql(segment: "Segment", narrowed: "Project") -> str:
    from schemas.definitions.canonical import canonical

    below = [name for name in narrowed.order if name != segment.name]
    rule = json.dumps(canonical(segment.when.meaning()), indent=2, ensure_ascii=False).splitlines()
    lines = [
        f"segment {segment.name} for {', '.join(segment.purposes)}",
        f"meaning {segment.meaning}",
        *([f"refers to the segments {', '.join(below)}"] if below else []),
        "the rule, over the columns below:",
        *(f"  {line}" for line in rule),
    ]
    return _comment(lines) + _select(narrowed)


def _feature_sql(narrowed: "Project", name: str) -> str:
    from schemas.definitions.canonical import canonical

    group = narrowed.features[name]
    lines = [f"features {name} for {', '.join(group.purposes)}", "the columns, each over the events and values below:"]
    for column in group.columns:
        of = f" of {column.aggregate.of}" if column.aggregate.of else ""
        window = json.dumps(canonical(column.window), ensure_ascii=False)
        lines.append(f"  {column.name} {column.type}: {column.aggregate.op}{of} over {window}")
    return _comment(lines) + _select(narrowed)


def _comment(lines: list[str]) -> str:
    # What a definition says stays inside of the comment, whatever line ends are in it.
    return "".join(f"-- {' '.join(line.split(chr(13)))}\n" for text in lines for line in text.split("\n"))


def _select(narrowed: "Project") -> str:
    """What is asked of events, as one query."""
    from transforms.algebra.project import projection

    asked = projection(narrowed)
    if not asked.names:
        return "-- nothing is asked of events\n"
    flags = " OR ".join(sorted(asked.predicates.values()))
    where = f"\nWHERE {flags}" if asked.predicates else ""
    return f"SELECT\n  subject,\n  occurred_at,\n  {asked.select_list}\nFROM events{where};\n"
