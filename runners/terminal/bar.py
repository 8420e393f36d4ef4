"""Progress on stderr: a bar on a terminal, a line every ten seconds in a pipe."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from runners.terminal.log import Note

_EVERY_S, _DRAWN_S = 10.0, 0.2
"""Between two lines in a pipe, and between two drawings on a terminal."""
_WIDTH = 20


class Bar:
    """Told of the stage, of the records that are done and of the share of the files that is read."""

    def __init__(
        self,
        note: Note,
        quiet: bool,
        clock: Callable[[], float] = time.monotonic,
        terminal: bool | None = None,
    ) -> None:
        self.note, self.quiet, self.clock = note, quiet, clock
        self.terminal = sys.stderr.isatty() if terminal is None else terminal
        self.began = self.last = clock()
        self.stage = ""

    def tell(self, stage: str, records: int, share: float) -> None:
        """Say how far the run is."""
        now = self.clock()
        turns = self.terminal and stage != self.stage
        if self.quiet or (not turns and now - self.last < (_DRAWN_S if self.terminal else _EVERY_S)):
            return
        self.stage, self.last = stage, now
        text = told(stage, records, share, now - self.began)
        self._show(text, stage=stage, rows=records, share=round(share, 4), seconds=round(now - self.began, 1))

    def beat(self, text: str, **fields: Any) -> None:
        """Say what there is to say of a stream, as often as of anything."""
        now = self.clock()
        if not self.quiet and now - self.last >= (_DRAWN_S if self.terminal else _EVERY_S):
            self.last = now
            self._show(text, **fields)

    def _show(self, text: str, **fields: Any) -> None:
        if self.terminal:
            sys.stderr.write(f"\r\x1b[2K{text}")
            sys.stderr.flush()
        else:
            self.note(text, **fields)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.terminal and not self.quiet:
            sys.stderr.write("\r\x1b[2K")


def told(stage: str, records: int, share: float, seconds: float) -> str:
    """One line: the share read as a bar, records, rate and time left; of other stages, the time since the beginning."""
    if stage != "read":
        return f"{stage} …  {seconds:,.0f} s"
    full = round(_WIDTH * min(share, 1.0))
    rate = f", {records / seconds:,.0f} a second" if records and seconds > 0.5 else ""
    left = f", {_clock(seconds * (1 - share) / share)} left" if 0 < share < 1 and seconds > 0.5 else ""
    return f"read {'█' * full}{'░' * (_WIDTH - full)} {share:4.0%}  {records:,} records{rate}{left}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
