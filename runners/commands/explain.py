"""`segue explain`: why a subject is in a segment, or not, at any past instant."""

from typing import Annotated, Any

import typer


def explain(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(help="The subject's id.")],
    segment: Annotated[str, typer.Argument(help="The segment's name.")],
    at: Annotated[str | None, typer.Option("--at", help="T: by default that of the last run.")] = None,
    known: Annotated[str | None, typer.Option("--known", help="K: by default that of the last run.")] = None,
) -> None:
    """Show the truth tree at any T and K: numbers, deciding events and ledger rows, the nearest miss, the next flip."""
    from runners.answers.explaining import beyond, explain_subject
    from runners.answers.told_tree import render
    from runners.terminal.asking import instant_of

    session = ctx.obj
    project = session.project()
    asked_at, known_at = instant_of("--at", at, project), instant_of("--known", known, project)
    with session.lake(project) as lake:
        told: dict[str, Any] = explain_subject(lake, project, subject, segment, asked_at, known_at)
        if (note := beyond(lake, asked_at)) is not None:
            session.note(f"note: {note}")
    if session.format == "json":
        session.json(told)
    else:
        session.say(render(told))
