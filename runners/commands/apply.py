"""`segue apply`: the run that a plan tells of, and no other."""

import time
from pathlib import Path
from typing import Annotated

import typer


def apply(
    ctx: typer.Context, plan: Annotated[Path, typer.Argument(help="A file that `segue plan -o` has written.")]
) -> None:
    """Carry out a plan: publish up to its T, by the definitions, the record and the files that it has seen.

    Where any of them is not what it was, nothing is published (exit 2). Applying it twice changes nothing.
    """
    from runners.manifest import write_manifest
    from runners.plans.applying import do_as_planned, read_plan
    from runners.runs.ending import end
    from runners.runs.results import recorded
    from runners.runs.running import open_target

    session, now = ctx.obj, time.time_ns() // 1_000
    with recorded(session.root, session.note) as results:
        said = read_plan(plan)
        project = results.project = session.project()
        session.warn(project)
        write_manifest(project)
        with open_target(project) as lake:
            with session.bar() as bar:
                outcome = do_as_planned(lake, project, said, now, results, results.stages.following(bar.tell))
            end(session, lake, results, outcome)
