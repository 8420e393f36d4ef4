"""`segue query`: ask the warehouse."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def query(
    ctx: typer.Context,
    sql: Annotated[str, typer.Argument(help="One SELECT over the tables and views.")],
    format: Annotated[str | None, typer.Option(help="text, json or csv.")] = None,  # noqa: A002  the option's name
    output: Annotated[Path | None, typer.Option(help="A Parquet file for the result, which keeps the types.")] = None,
) -> None:
    """Read the warehouse by SQL."""
    from runners.warehouses.output import write_parquet, write_rows
    from runners.warehouses.query import lock
    from runners.warehouses.query import query as ask

    session = ctx.obj
    with session.lake(session.project()) as lake:
        lock(lake)
        rows = ask(lake, sql)
        if output is None:
            write_rows(rows, form_of(format or session.format), sys.stdout)
        else:
            session.note(f"{write_parquet(rows, output):,} rows in {output}")


def form_of(name: str) -> Any:
    """A format of rows. Errors: CallError."""
    from schemas.errors import CallError

    if name not in ("text", "json", "csv"):
        raise CallError("SEG-0900", f"no format `{name}`", "text, json or csv")
    return name
