"""`segue run`: one batch or increment."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from runners.running import Outcome


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
    from runners.report import summarise
    from runners.running import Options, open_target, run_batch

    session = ctx.obj
    project = session.project()
    for warning in project.warnings:
        session.note(warning.render())
    now = time.time_ns() // 1_000
    options = Options(now, instant_of(as_of, project), instant_of(known_at, project), full_refresh)
    with open_target(project) as lake:
        with Bar(session.note, session.quiet) as bar:
            outcome = run_batch(lake, project, options, bar.tell)
        for note in outcome.notes:
            session.note(f"note: {note}")
        results = _results(outcome)
        target = project.root / "target"
        target.mkdir(exist_ok=True)
        (target / "run_results.json").write_text(json.dumps(results, indent=2))
        if session.format == "json":
            session.json(results)
        elif outcome.published.status == "unchanged":
            session.say("nothing new: the tables are as they were")
        else:
            session.say(summarise(lake, project, outcome.published.run_id, outcome.seconds))


def _results(outcome: "Outcome") -> dict[str, object]:
    """What a run did, for programs."""
    return {
        "version": 1,
        "run_id": outcome.published.run_id,
        "status": outcome.published.status,
        "t": outcome.t_at,
        "k": outcome.published.known_at,
        "rows": dict(outcome.published.rows),
        "seconds": round(outcome.seconds, 3),
    }
