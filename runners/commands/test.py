"""`segue test`: the stories written inside segments, each through one batch, through cuts, live and through `explain`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from runners.commands.options import AllowEmpty, Select

if TYPE_CHECKING:
    from runners.answers.telling import Answer


def test(ctx: typer.Context, select: Select = None, allow_empty: AllowEmpty = False) -> None:
    """Run the stories of segments: each in one batch, in cuts, live and by explain."""
    from runners.answers.telling import program_of, tell
    from runners.manifest import write_manifest
    from runners.terminal.selecting import chosen_of
    from schemas.errors import JobFailed, NothingSelected

    session = ctx.obj
    project = session.project()
    write_manifest(project)
    chosen = chosen_of(session, project, select, allow_empty)
    told = [(name, story) for name in chosen.segments for story in project.segments[name].tests]
    if not told and not allow_empty:
        raise NothingSelected("SEG-0903", "no story is selected", "stories stand under `tests:` of a segment")
    programs = {name: program_of(project, name) for name, _ in told}
    results = []
    for name, story in told:
        answers = tell(programs[name], project.segments[name], story)
        results.append({"segment": name, "story": story.name, "ok": all(one.right for one in answers)})
        results[-1]["answers"] = [_shown(one) for one in answers]
        if session.format == "text":
            session.say(_line(results[-1]))
    failed = sum(not one["ok"] for one in results)
    if session.format == "json":
        session.json(results)
    else:
        session.say(f"{len(results)} stories, {len(results) - failed} ok, {failed} failed")
    if failed:
        raise JobFailed("SEG-0909", f"{failed} of {len(results)} stories failed")


def _shown(answer: "Answer") -> dict[str, Any]:
    from schemas.definitions.instant import write_instant

    found = {"batch": answer.batch, "cuts": answer.cuts, "stream": answer.stream, "explain": answer.explain}
    known = None if answer.known is None else write_instant(answer.known)
    told = {"at": write_instant(answer.at), "known": known, "expected": answer.expected}
    return {**told, "found": found, "ok": answer.right}


def _line(result: Mapping[str, Any]) -> str:
    """A story as a line, and a line more for each answer that is wrong."""
    head = f"{'ok' if result['ok'] else 'FAILED':<7}{result['segment']}: {result['story']}"
    return "\n".join([head, *_wrong(result["answers"])])


def _wrong(answers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    words = {True: "a member", False: "no member"}
    for one in answers:
        if not one["ok"]:
            found = ", ".join(f"{way} {words[value]}" for way, value in one["found"].items())
            known = f", known {one['known']}" if one["known"] else ""
            yield f"         at {one['at']}{known}: expected {words[one['expected']]}, found {found}"
