"""`segue runs`: the published runs."""

import sys

import typer


def runs(ctx: typer.Context) -> None:
    """List the runs: when, T, K, status, rows, seconds."""
    from runners.warehouses.output import write_rows
    from runners.warehouses.read import runs as published

    session = ctx.obj
    with session.lake(session.project()) as lake:
        write_rows(published(lake).to_reader(), session.format, sys.stdout)
