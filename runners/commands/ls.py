"""`segue ls`: what a selection means."""

from typing import TYPE_CHECKING, Any

import typer

from runners.commands.options import AllowEmpty, Select

if TYPE_CHECKING:
    from schemas.definitions.feature import FeatureGroup
    from schemas.definitions.project import Project
    from schemas.definitions.segment import Segment
    from schemas.definitions.selection import Selection


def ls(ctx: typer.Context, select: Select = None, allow_empty: AllowEmpty = False) -> None:
    """List the segments and features that a selection means."""
    from runners.terminal.selecting import chosen_of

    session = ctx.obj
    project = session.project()
    chosen = chosen_of(session, project, select, allow_empty)
    if session.format == "json":
        session.json(_described(project, chosen))
        return
    for name in (*chosen.segments, *chosen.features):
        session.say(name)


def _described(project: "Project", chosen: "Selection") -> list[dict[str, Any]]:
    """A mapping for each definition: kind, name, purposes, tags, file."""
    found: list[tuple[str, Segment | FeatureGroup]] = []
    found += [("segment", project.segments[name]) for name in chosen.segments]
    found += [("features", project.features[name]) for name in chosen.features]
    return [
        {"kind": kind, "name": one.name, "purposes": list(one.purposes), "tags": list(one.tags), "file": one.file}
        for kind, one in found
    ]
