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
    from runners.manifest import write_manifest
    from runners.runs.ending import end
    from runners.runs.outlook import Options
    from runners.runs.results import recorded
    from runners.runs.running import open_target, run_batch
    from runners.terminal.asking import instant_of

    session, now = ctx.obj, time.time_ns() // 1_000
    with recorded(session.root, session.note) as results:
        project = results.project = session.project()
        session.warn(project)
        if project.target.runner != "local":
            session.note(f"note: a run is computed on this machine; `{project.target.runner}` is where streams are")
        write_manifest(project)
        t_at, k_at = instant_of("--as-of", as_of, project), instant_of("--known-at", known_at, project)
        options = Options(now, t_at, k_at, full_refresh)
        with open_target(project) as lake:
            with session.bar() as bar:
                outcome = run_batch(lake, project, options, results.stages.following(bar.tell), results)
            end(session, lake, results, outcome)
