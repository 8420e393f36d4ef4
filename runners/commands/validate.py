"""`segue validate`: parse, type-check and cross-check every definition; all problems at once; no data touched."""

import typer


def validate(ctx: typer.Context) -> None:
    """Check every definition against every other. No data is touched."""
    from runners.plans.summary import describe
    from transforms.algebra.program import Program

    session = ctx.obj
    project = session.project()
    said = describe(project, Program(project, dict.fromkeys(project.segments, 1)))
    session.warn(project)
    if session.format == "json":
        session.json(said)
        return
    session.say(
        f"{project.name}: {said['segments']} segments, {said['features']} features, {said['sources']} sources: all good"
    )
    session.say(f"purposes touched: {', '.join(said['purposes']) or 'none'}")
    session.say(
        f"state: about {said['state_bytes_per_event']} bytes an event, {said['state_bytes_per_subject']} more a subject"
    )
