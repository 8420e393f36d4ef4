"""`segue runs`: the published runs, or one run with all its checks."""

import sys
from typing import Annotated

import typer


def runs(
    ctx: typer.Context,
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="One that was begun here, by its id or what it published.")
    ] = None,
) -> None:
    """List the published runs: when, T, K, status, rows, seconds. Or tell of one, published or not: stages, checks, figures.

    A run that failed or was stopped has published nothing and is not listed. Where the last one did, a note on stderr
    says by what it ended, and target/run_results.json has the rest. target/runs has a page for each of the last hundred.
    """
    from runners.runs.attempt import find
    from runners.runs.results import last_error
    from runners.runs.told_run import render
    from runners.warehouses.output import write_rows
    from runners.warehouses.published import runs as published

    session = ctx.obj
    if run is not None:
        said = find(session.root, run).said
        session.json(said) if session.format == "json" else session.say(render(said))
        return
    project = session.project()
    if error := last_error(project.root):
        session.note(f"note: the last run published nothing: {error['code']} {error['message']} (target/run_results.json)")
    with session.lake(project) as lake:
        write_rows(published(lake).to_reader(), session.format, sys.stdout)
