"""`segue diff`: two runs, two targets or two versions of a segment, compared."""

import sys
from typing import Annotated

import typer


def diff(
    ctx: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="A run, by its id or its beginning; a version, as name@1; a target.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one of its kind; of versions, of the same segment.")],
    limit: Annotated[int, typer.Option(min=0, help="How many are named for each reason.")] = 0,
) -> None:
    """Tell who entered, left or moved from A to B, and why, by the record alone.

    Moved is who is a member in both, but since another instant. Versions are compared at the T of the older one's last run,
    targets at the earlier of their last T's.
    """
    from runners.answers.diffing import diff as compared
    from runners.answers.diffing_targets import Held, diff_targets
    from runners.warehouses.output import write_rows
    from runners.warehouses.published import published

    session = ctx.obj
    project = session.project()
    if {a, b} & {*project.targets}:
        one, two = (session.project(name) for name in (a, b))
        with session.lake(one) as lake, session.lake(two) as other, lake.snapshot(), other.snapshot():
            found = diff_targets(Held(a, lake), Held(b, other), limit)
    else:
        with session.lake(project) as lake, lake.snapshot():
            published(lake)
            found = compared(lake, a, b, limit)
    if session.format == "json":
        session.json(found.told)
        return
    for side in (found.a, found.b):
        session.say(f"{side.name} at {side.told['t']}, as known at {side.told['k']}")
    session.say("")
    write_rows(found.segments.to_reader(), "text", sys.stdout)
    if len(found.changes):
        session.say("")
        shown = found.changes if limit else found.changes.drop_columns("few")
        write_rows(shown.to_reader(), "text", sys.stdout)
