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
    from runners.asking import instant_of
    from runners.explaining import explain_subject, render

    session = ctx.obj
    project = session.project()
    with session.lake(project) as lake:
        told: dict[str, Any] = explain_subject(
            lake, project, subject, segment, instant_of(at, project), instant_of(known, project)
        )
    if session.format == "json":
        session.json(told)
    else:
        session.say(render(told))
