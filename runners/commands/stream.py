"""`segue stream`: the same as `run`, live, until stopped."""

import time
from typing import Annotated

import typer


def stream(
    ctx: typer.Context,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two commits.")] = 2.0,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", min=1, max=65_535, help="Serve Prometheus at /metrics on this port.")
    ] = None,
    metrics_host: Annotated[str, typer.Option("--metrics-host", help="The address that metrics are served at.")] = "127.0.0.1",
) -> None:
    """Follow the sources, and publish every few seconds, until stopped by SIGTERM or Ctrl-C."""
    from runners.runs.results import recorded
    from runners.streams.live import follow
    from runners.streams.meters import Address

    session = ctx.obj
    with recorded(session.root, session.note) as results:
        project = results.project = session.project()
        session.warn(project)
        metrics = None if metrics_port is None else Address(metrics_host, metrics_port)
        follow(session, project, results, every, lambda: time.time_ns() // 1_000, metrics)
