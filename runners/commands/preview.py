"""`segue preview`: a segment before it is published."""

from typing import Annotated

import typer

_SAMPLE = "The part of the subjects to look at, as 0.05; 1 is exact. By default so many that 50,000 are."


def preview(
    ctx: typer.Context,
    segment: Annotated[str, typer.Argument(help="The segment's name.")],
    sample: Annotated[float | None, typer.Option(min=1e-9, max=1, help=_SAMPLE)] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Another seed takes another sample.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="How many members are named.")] = 5,
) -> None:
    """Tell a segment's size and a few members at the last T and K, and who would enter and leave, before it is published.

    By a sample of the subjects, with the bounds between which the number lies in 95 of 100 samples. Nothing is written.
    """
    from runners.answers.recalling import outdated
    from runners.plans.previewing import preview as previewed
    from runners.plans.previewing import render
    from runners.terminal.selecting import see_segment
    from runners.warehouses.published import published

    session = ctx.obj
    project = session.project()
    see_segment(project, segment)
    with session.lake(project) as lake, lake.snapshot():
        told = previewed(lake, project, segment, sample, seed, limit)
        if (word := outdated(project, published(lake))) is not None:
            session.note(f"note: {word}")
    if session.format == "json":
        session.json(told)
    else:
        session.say(render(told))
