"""`segue compile`: the SQL that segments and features become, and the manifest of all definitions."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from runners.commands.options import AllowEmpty, Select

if TYPE_CHECKING:
    from schemas.definitions.project import Project
    from schemas.definitions.segment import Segment
    from schemas.definitions.selection import Selection

COMPILED = Path("compiled")


def compile_(ctx: typer.Context, select: Select = None, allow_empty: AllowEmpty = False) -> None:
    """Write the SQL of segments and features to target/compiled/, and target/manifest.json."""
    from runners.artifacts import write_artifact
    from runners.manifest import write_manifest
    from runners.terminal.selecting import chosen_of

    session = ctx.obj
    project = session.project()
    session.warn(project)
    chosen = chosen_of(session, project, select, allow_empty)
    paths = [write_artifact(project.root, path, text) for path, text in _texts(project, chosen).items()]
    told = [str(path) for path in (*paths, write_manifest(project))]
    if session.format == "json":
        session.json(told)
    else:
        session.say("\n".join(told))


def _texts(project: "Project", chosen: "Selection") -> dict[Path, str]:
    """The files by path, relative to `target/`."""
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
