"""`segue run`: one batch or increment."""

import time
from typing import Annotated

import typer


def run(
    ctx: typer.Context,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="T: ISO 8601, or a date of the project's timezone.")
    ] = None,
    known_at: Annotated[str | None, typer.Option("--known-at", help="K: what was received later is not seen.")] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Read all sources from their beginning.")
    ] = False,
) -> None:
    """Read what is new, advance, stage, audit, publish. Running it twice changes nothing."""
    import json

    from runners.asking import instant_of
    from runners.bar import Bar
    from runners.running import Options, run_batch

    session = ctx.obj
    project = session.project()
    for warning in project.warnings:
        session.note(warning.render())
    now = time.time_ns() // 1_000
    options = Options(now, instant_of(as_of, project), instant_of(known_at, project), full_refresh)
    with Bar(session.note, session.quiet) as bar:
        outcome = run_batch(project, options, bar.tell)
    for note in outcome.notes:
        session.note(f"note: {note}")
    results = {
        "version": 1,
        "run_id": outcome.published.run_id,
        "status": outcome.published.status,
        "t": outcome.t_at,
        "k": outcome.published.known_at,
        "rows": dict(outcome.published.rows),
        "seconds": round(outcome.seconds, 3),
    }
    target = project.root / "target"
    target.mkdir(exist_ok=True)
    (target / "run_results.json").write_text(json.dumps(results, indent=2))
    if session.format == "json":
        session.json(results)
        return
    if outcome.published.status == "unchanged":
        session.say("nothing new: the tables are as they were")
        return
    from runners.report import summarise

    with session.lake(project) as lake:
        session.say(summarise(lake, project, outcome.published.run_id, outcome.seconds))
