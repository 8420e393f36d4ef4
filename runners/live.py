"""`segue stream` at a terminal: what it says, and how it is stopped."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from runners.engines.prism import prism_path
from runners.manifest import write_manifest
from runners.results import Results
from runners.running import open_target
from runners.session import Session
from runners.stopping import SIGNALS
from runners.streaming import Committed, Stream
from schemas.definitions.instant import write_instant
from schemas.definitions.project import Project


def follow(session: Session, project: Project, results: Results, every_s: float, now: Callable[[], int]) -> None:
    """Stream until a signal asks to stop; what is in hand then is published."""
    prism_path()
    write_manifest(project)
    with open_target(project) as lake:
        stream = Stream(lake, project, every_s, now)
        with session.bar() as bar:
            outcome = stream.catch_up(results.stages.following(bar.tell))
        session.note(f"caught up to {write_instant(outcome.t_at)}; Ctrl-C stops")
        with _asked_to_stop() as is_asked:
            stream.run(is_asked, lambda one: _tell(session, one))


def _tell(session: Session, one: Committed) -> None:
    if one.published.status == "published":
        rows = sum(one.published.rows.values())
        session.note(f"published T {write_instant(one.t_at)}: {rows:,} rows in {one.seconds:.2f} s")


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether a signal has asked to stop; a second one stops at once."""
    asked = list[int]()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = [signal.signal(one, ask) for one in SIGNALS]
    try:
        yield lambda: bool(asked)
    finally:
        for one, handler in zip(SIGNALS, before, strict=True):
            signal.signal(one, handler)
