"""`segue ls`: what a selection means."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from schemas.definitions.project import Project
    from schemas.definitions.selection import Selection


def ls(
    ctx: typer.Context,
    select: Annotated[str | None, typer.Option("--select", help="Names, tag:x, purpose:x, +name, name+.")] = None,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Exit 0 where nothing is selected.")] = False,
) -> None:
    """List the segments and features that a selection means."""
    from runners.commands.compile import meanings_before
    from schemas.definitions.selection import demand
    from schemas.definitions.selection import select as choose

    session = ctx.obj
    project = session.project()
    chosen = choose(project, select, meanings_before(project.root))
    demand(chosen, select, allow_empty or not chosen.empty)
    if session.format == "json":
        session.json(_described(project, chosen))
        return
    for name in (*chosen.segments, *chosen.features):
        session.say(name)


def _described(project: "Project", chosen: "Selection") -> list[dict[str, Any]]:
    """A mapping for each definition: kind, name, purposes, tags, file."""
    groups = {name: project.features[project.feature_columns[name].group] for name in chosen.features}
    found = [("segment", name, project.segments[name]) for name in chosen.segments]
    listed = [*found, *(("feature", name, group) for name, group in groups.items())]
    return [
        {"kind": kind, "name": name, "purposes": list(one.purposes), "tags": list(one.tags), "file": one.file}
        for kind, name, one in listed
    ]
