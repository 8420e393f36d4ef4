"""`segue show`: the rows of a table."""

import sys
from typing import Annotated

import typer


def show(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(help="A table or view.")],
    limit: Annotated[int | None, typer.Option(min=0, help="How many rows; in text 20 unless it is said.")] = None,
    format: Annotated[str | None, typer.Option(help="text, json or csv.")] = None,  # noqa: A002  the option's name
) -> None:
    """Show a table or view."""
    from runners.commands.query import form_of
    from runners.warehouses.output import write_rows
    from runners.warehouses.query import lock
    from runners.warehouses.query import show as rows_of

    session = ctx.obj
    form = form_of(format or session.format)
    with session.lake(session.project()) as lake:
        lock(lake)
        shown = 20 if limit is None and form == "text" else limit
        if write_rows(rows_of(lake, table, shown), form, sys.stdout) == shown and limit is None:
            session.note(f"the first {shown} rows; --limit shows more")
