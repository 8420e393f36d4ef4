"""The summary of a run, for people."""

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from runners.examples import is_example
from runners.runs.results import Results
from runners.runs.running import Outcome
from runners.terminal.session import Session
from runners.warehouses.lake import Lake, quoted
from schemas.definitions.project import Project


def tell(session: Session, lake: Lake, results: Results, outcome: Outcome) -> None:
    """How a run ended, as text or JSON."""
    for note in outcome.notes:
        session.note(f"note: {note}")
    if session.format == "json":
        session.json(results.document())
    elif outcome.published.status == "unchanged":
        session.say("nothing new: the tables are as they were")
    elif outcome.published.status == "already":
        session.say(f"published before, as {outcome.published.run_id}: the tables are as they were")
    elif results.project is not None:
        session.say(summarise(lake, results.project, outcome.published.run_id, outcome.seconds))


def summarise(lake: Lake, project: Project, run_id: str, seconds: float) -> str:
    """What was read and set aside, subjects, each segment with its size, what consent refused and why, what to try."""
    with lake.snapshot():
        sizes = _members(lake)
        lines = [
            *_read(lake, run_id, seconds),
            *_set_aside(lake, run_id),
            "",
            *_sizes(project, sizes),
            "",
            *_refused(lake, run_id),
            "",
            *_next(lake, project, sizes),
        ]
    return "\n".join(lines)


def _read(lake: Lake, run_id: str, seconds: float) -> list[str]:
    names = ("read", "used", "quarantined", "future", "late", "duplicate", "kept", "refused", "unneeded")
    row = lake.rows(f"SELECT {', '.join(names)} FROM run_manifest WHERE run_id = {quoted(run_id)}")[0]
    told = ", ".join(f"{count:,} {name}" for name, count in zip(names[1:], row[1:], strict=True) if count)
    events = lake.value("SELECT count(*) FROM events")
    subjects = lake.value(
        "SELECT sum(subjects) FROM consent_verdicts WHERE run_id = " + quoted(run_id) + " GROUP BY purpose LIMIT 1"
    )
    return [
        f"{row[0]:,} records read in {seconds:,.1f} s{': ' if told else ''}{told}",
        f"{events:,} events of {int(subjects or 0):,} subjects",
    ]


def _set_aside(lake: Lake, run_id: str) -> list[str]:
    """Where quarantined records come from and why: a wrong name of a field shows here first."""
    rows = lake.rows(
        f"SELECT source, reason, count(*) FROM quarantine WHERE run_id = {quoted(run_id)} GROUP BY ALL ORDER BY 3 DESC, 1, 2"
    )
    told = [f"  {f'{source} {reason}':<34}  {count:>8,} records" for source, reason, count in rows]
    return ["", "set aside (`segue show quarantine` has them whole)", *told] if told else []


def _members(lake: Lake) -> dict[str, int]:
    """How many members each segment has: those who entered, less those who left."""
    moves = "SELECT segment, CAST(sum(if(member, 1, -1)) AS BIGINT) FROM segment_transitions WHERE known_to IS NULL"
    return dict(lake.rows(f"{moves} GROUP BY segment ORDER BY segment"))


def _sizes(project: Project, sizes: Mapping[str, int]) -> list[str]:
    width = max((len(name) for name in project.segments), default=0)
    shown = [segment for segment in project.segments.values() if segment.publish]
    return [
        "segments",
        *(
            f"  {one.name:<{width}}  {sizes.get(one.name, 0):>8,}  {_first_sentence(one.description)}".rstrip()
            for one in shown
        ),
    ]


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].removesuffix(".")


def _refused(lake: Lake, run_id: str) -> list[str]:
    rows = lake.rows(
        "SELECT purpose, reason, subjects, events FROM consent_verdicts "
        f"WHERE run_id = {quoted(run_id)} ORDER BY purpose, subjects DESC, reason"
    )
    width = max((len(f"{purpose} {reason}") for purpose, reason, _, _ in rows), default=0)
    listed = [
        f"  {f'{purpose} {reason}':<{width}}  {subjects:>8,} subjects  {events:>10,} events"
        for purpose, reason, subjects, events in rows
    ]
    return ["consent", *listed]


def _next(lake: Lake, project: Project, sizes: Mapping[str, int]) -> list[str]:
    """What to try. Nobody is named in what a scheduler keeps: only an example of our own names a member."""
    call = f"{_command()} --project-dir {shlex.quote(str(project.root))}"
    segment = next((name for name, count in sizes.items() if count), None)
    example = [f"  {call} explain {_someone(lake, project, segment)} {segment}"] if segment else []
    ask = "SELECT segment, count(*) AS members FROM segment_membership GROUP BY segment ORDER BY members DESC"
    return [f"tables are in {lake.where}", "try", *example, f'  {call} query "{ask}"']


def _someone(lake: Lake, project: Project, segment: str) -> str:
    if not is_example(project.root):
        return "SUBJECT"
    return shlex.quote(lake.value(f"SELECT min(subject) FROM segment_membership WHERE segment = {quoted(segment)}"))


def _command() -> str:
    """What to type: the name where the shell would find it, else the way this call was made."""
    if shutil.which("segue"):
        return "segue"
    called = Path(sys.argv[0])
    return str(called) if called.name == "segue" else f"{sys.executable} -m runners.main"
