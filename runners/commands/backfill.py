"""`segue backfill`: the past of what is new or changed."""

import time
from dataclasses import replace
from typing import Annotated

import typer

from runners.commands.options import AllowEmpty, Select


def backfill(
    ctx: typer.Context,
    from_: Annotated[str, typer.Option("--from", help="Where the period begins: ISO 8601, or a date of the project's timezone.")],
    to: Annotated[str, typer.Option("--to", help="Where it ends, exclusive: no later than the last published T.")],
    select: Select = None,
    allow_empty: AllowEmpty = False,
) -> None:
    """Compute the past of new and changed segments from the warehouse's facts, month by month, also beside a stream.

    It is in segment_backfilled until a run puts the definitions in force. Of feature groups that are in force, and named by
    --select, the rows of past days are written. The same call goes on where it was stopped.
    """
    from runners.backfills.backfilling import backfill as backfilled
    from runners.backfills.intervals import Period
    from runners.backfills.told_backfill import document, render
    from runners.terminal.asking import instant_of
    from runners.terminal.selecting import chosen_of
    from schemas.errors import NothingSelected

    session = ctx.obj
    project = session.project()
    begin, end = instant_of("--from", from_, project), instant_of("--to", to, project)
    assert begin is not None and end is not None, "both are required"
    try:
        chosen = chosen_of(session, project, select, allow_empty)
        chosen = chosen if select is not None else replace(chosen, features=())
        with session.bar() as bar:
            done = backfilled(project, chosen, Period(begin, end), lambda: time.time_ns() // 1_000, bar.tell)
    except NothingSelected:
        if not allow_empty:
            raise
        return
    for note in done.notes:
        session.note(f"note: {note}")
    if session.format == "json":
        session.json(document(done))
    else:
        session.say(render(done))
    done.see_that_none_failed()
