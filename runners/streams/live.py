"""`segue stream` at a terminal: what it says, and how it is stopped."""

from collections.abc import Callable, Iterable

from runners.engines.entry import see_that_it_is_there
from runners.manifest import write_manifest
from runners.runs.results import Results
from runners.runs.run_plan import Published
from runners.runs.running import Outcome, open_target
from runners.sources.tables import see_that_all_can_be_followed
from runners.streams.meters import Address, metered
from runners.streams.pulse import Pulse
from runners.streams.streaming import Committed, Stream
from runners.terminal.session import Session
from runners.terminal.stopping import asked_to_stop
from schemas.definitions.instant import write_instant
from schemas.definitions.project import Project


def follow(
    session: Session,
    project: Project,
    results: Results,
    every_s: float,
    now: Callable[[], int],
    metrics: Address | None = None,
) -> None:
    """Stream until a signal asks to stop; what is in hand then is published. `metrics` is where numbers are served."""
    see_that_all_can_be_followed(project)
    see_that_it_is_there(project.target)
    write_manifest(project)
    with open_target(project) as lake:
        stream = Stream(lake, project, every_s, now)
        with metered(stream, metrics) as measure:
            outcome = _caught_up(session, results, stream)
            measure(outcome)
            pulse = _streamed(session, stream, outcome.notes, measure)
        _end(session, results, pulse, stream, outcome.remade + pulse.remade)


def _caught_up(session: Session, results: Results, stream: Stream) -> Outcome:
    with session.bar() as bar:
        outcome = stream.catch_up(results.stages.following(bar.tell))
    for note in outcome.notes:
        session.note(f"note: {note}")
    session.note(f"caught up to {write_instant(outcome.t_at)}; Ctrl-C ends it when what is in hand is published")
    return outcome


def _streamed(session: Session, stream: Stream, noted: Iterable[str], measure: Callable[[Committed], None]) -> Pulse:
    """Go on until a signal asks to stop. No note is said twice."""
    with session.bar() as bar, asked_to_stop() as is_asked:
        pulse, said = Pulse(bar, stream.now, until_at=stream.carried.until_at), set(noted)

        def is_over() -> bool:
            pulse.beat()
            return is_asked()

        def tell(one: Committed) -> None:
            pulse.note(one)
            measure(one)
            for note in one.notes:
                if note not in said:
                    session.note(f"note: {note}")
            said.update(one.notes)

        stream.run(is_over, tell)
    return pulse


def _end(session: Session, results: Results, pulse: Pulse, stream: Stream, remade: int) -> None:
    """What is said when it has stopped."""
    last = stream.carried.last
    published = Published("published" if pulse.commits else "unchanged", last.run_id, last.known_at, {})
    results.end(published, last.t_at, remade)
    if session.format == "json":
        session.json(results.document())
    else:
        session.say(f"{pulse.records:,} records, {pulse.commits:,} commits, up to {write_instant(last.t_at)}")
