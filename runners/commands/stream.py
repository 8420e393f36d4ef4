"""`segue stream`: the same as `run`, live, until stopped."""

import time
from typing import Annotated

import typer


def stream(
    ctx: typer.Context,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two commits.")] = 2.0,
) -> None:
    """Follow the sources, and publish every few seconds, until stopped by SIGTERM or Ctrl-C."""
    from runners.live import follow
    from runners.results import recorded

    session = ctx.obj
    with recorded(session.root) as results:
        project = results.project = session.project()
        session.warn(project)
        follow(session, project, results, every, lambda: time.time_ns() // 1_000)
