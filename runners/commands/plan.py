"""`segue plan`: what a run would do, and to whom, before it does it."""

import time
from pathlib import Path
from typing import Annotated

import typer


def plan(
    ctx: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file for the plan, which `segue apply` takes.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="T: ISO 8601, or a date of the project's timezone.")
    ] = None,
) -> None:
    """Compare the definitions with what is published, leaf by leaf: who would enter and leave. Nothing is published.

    The plan is also left in target/plan.json.
    """
    from runners.artifacts import write_artifact, write_whole, written
    from runners.plans.planning import plan as planned
    from runners.plans.told_plan import render
    from runners.runs.outlook import Options, Outlook
    from runners.terminal.asking import instant_of
    from runners.terminal.standing import standing_of

    session, now = ctx.obj, time.time_ns() // 1_000
    project = session.project()
    session.warn(project)
    options = Options(now, instant_of("--as-of", as_of, project))
    with standing_of(project) as lake:
        said = planned(lake, Outlook.of(lake, project, options))
    write_artifact(project.root, "plan.json", written(said))
    if output is not None:
        write_whole(output, written(said), str(output))
    if session.format == "json":
        session.json(said)
    else:
        session.say(render(said))
