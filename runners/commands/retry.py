"""`segue retry`: a run that failed, once more."""

from typing import Annotated

import typer


def retry(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id that the run has told, or its beginning.")],
) -> None:
    """Do a run again that failed: the same T, K, definitions and inputs, whatever the clock says now.

    Where another run was published since, or what it was to read is gone, nothing is published (exit 2).
    """
    from runners.runs.attempt import find
    from runners.runs.ending import end
    from runners.runs.results import recorded
    from runners.runs.retrying import do_again
    from runners.runs.running import open_target

    session = ctx.obj
    with recorded(session.root, session.note) as results:
        attempt = find(session.root, run)
        project = results.project = session.project(session.target or attempt.said["target"], attempt.said["definitions"])
        with open_target(project) as lake:
            with session.bar() as bar:
                outcome = do_again(lake, project, attempt, results, results.stages.following(bar.tell))
            end(session, lake, results, outcome)
