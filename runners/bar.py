"""Progress on stderr: a bar on a terminal, a line every ten seconds in a pipe."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

_EVERY_S = 10.0


class Bar:
    """Told of the stage and of the records that are done."""

    def __init__(self, note: Callable[[str], None], quiet: bool) -> None:
        self.note, self.quiet, self.terminal = note, quiet, sys.stderr.isatty()
        self.began, self.last, self.stage = time.monotonic(), time.monotonic(), ""

    def tell(self, stage: str, done: int, size: int) -> None:
        """Say how far the run is: `done` records of files that have `size` bytes together."""
        now = time.monotonic()
        if self.quiet or (stage == self.stage and now - self.last < (0.2 if self.terminal else _EVERY_S)):
            return
        first, self.stage, self.last = stage != self.stage, stage, now
        seconds = now - self.began
        rate = f", {done / seconds:,.0f} a second" if done and seconds > 0.5 else ""
        text = f"{stage}: {done:,} records of {size / 1e6:,.0f} MB of files{rate}" if stage == "read" else f"{stage} …"
        if self.terminal:
            sys.stderr.write(f"\r\x1b[2K{text}  {seconds:,.0f} s")
            sys.stderr.flush()
        elif done or not first or stage != "read":
            self.note(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.terminal and not self.quiet:
            sys.stderr.write("\r\x1b[2K")
