"""`segue features`: the features of subjects, each as of an instant of its own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from runners.commands.options import AllowEmpty, Select


def features(
    ctx: typer.Context,
    file: Annotated[Path, typer.Option("--at", help="csv, ndjson or parquet with the columns subject and at.")],
    select: Select = None,
    allow_empty: AllowEmpty = False,
    known: Annotated[str | None, typer.Option("--known", help="K: by default that of the last run.")] = None,
    format: Annotated[str | None, typer.Option(help="text, json or csv.")] = None,  # noqa: A002  the option's name
    output: Annotated[Path | None, typer.Option(help="A Parquet file for the rows, which keeps the types.")] = None,
) -> None:
    """Tell the features of subjects at instants: a row for each row of a file, in its order, with nothing of a later time.

    Null where the subject was not known then, or where the purpose of a feature was not open. An instant is ISO 8601 with
    an offset, or a date.
    """
    from runners.answers.explaining import beyond
    from runners.answers.featuring import rows_at
    from runners.answers.pairs import read_pairs
    from runners.answers.recalling import outdated
    from runners.commands.query import form_of
    from runners.runs.keeping import see_that_answers_are_left
    from runners.terminal.asking import instant_of
    from runners.terminal.selecting import features_of
    from runners.warehouses.output import write_parquet, write_rows
    from runners.warehouses.published import published

    session = ctx.obj
    project = session.project()
    form, known_at = form_of(format or session.format), instant_of("--known", known, project)
    groups, pairs = features_of(session, project, select, allow_empty), read_pairs(file, project.timezone)
    with session.lake(project) as lake, lake.snapshot():
        last = published(lake)
        if len(pairs.at):
            see_that_answers_are_left(lake, project, int(pairs.at.min()))
        latest = int(pairs.at.max()) if len(pairs.at) else None
        for word in filter(None, (beyond(lake, latest), outdated(project, last))):
            session.note(f"note: {word}")
        rows = rows_at(lake, project, groups, pairs, last.known_at if known_at is None else known_at).to_reader()
    if output is None:
        write_rows(rows, form, sys.stdout)
    else:
        session.note(f"{write_parquet(rows, output):,} rows in {output}")
