"""`segue runs`: the published runs."""

import sys

import typer


def runs(ctx: typer.Context) -> None:
    """List the published runs: when, T, K, status, rows, seconds.

    A run that failed or was stopped has published nothing and is not among them. Where the last one did, a note on
    stderr says by what it ended, and target/run_results.json has the rest.
    """
    from runners.results import last_error
    from runners.warehouses.output import write_rows
    from runners.warehouses.read import runs as published

    session = ctx.obj
    project = session.project()
    if error := last_error(project.root):
        session.note(f"note: the last run published nothing: {error['code']} {error['message']} (target/run_results.json)")
    with session.lake(project) as lake:
        write_rows(published(lake).to_reader(), session.format, sys.stdout)
