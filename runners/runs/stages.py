"""What the stages of a run took: seconds, rows and how each ended, as the run tells of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

STAGES = ("read", "compute", "audit", "publish")
"""Each run goes through them in this order."""
Ending = Literal["success", "error", "stopped", "skipped"]


@dataclass
class Stage:
    """One stage. `rows`: of `read` and `compute` the records taken in, of `audit` and `publish` the rows staged."""

    name: str
    rows: int = 0
    seconds: float = 0.0
    status: Ending = "skipped"


class Stages:
    """Follows a run by what it tells of its progress, and hands that on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.began = clock, clock()
        self.done: dict[str, Stage] = {}
        self.current: Stage | None = None

    def following(self, tell: Callable[[str, int, float], None]) -> Callable[[str, int, float], None]:
        """`tell`, and the stages follow what it is told."""

        def told(stage: str, records: int, share: float) -> None:
            if stage in STAGES:  # anything else is a word about what goes on within one
                self.reach(stage, records)
            tell(stage, records, share)

        return told

    def reach(self, name: str, rows: int) -> None:
        """The run is in this stage now, and has come so far."""
        if self.current is None or self.current.name != name:
            self.end("success")
            self.current = self.done.pop(name, Stage(name))  # a run may have to compute twice
        self.current.rows = rows
        if name == "compute" and "read" in self.done:
            self.done["read"].rows = rows  # the last bytes are read before the last records are counted

    def end(self, status: Ending) -> None:
        """The current stage, if there is one, ended like this; those not reached are skipped."""
        if self.current is not None:
            now = self.clock()
            self.current.seconds, self.current.status = self.current.seconds + now - self.began, status
            self.began = now
            self.done[self.current.name] = self.current
            self.current = None

    @property
    def all(self) -> Sequence[Stage]:
        """Every stage, in order."""
        return [self.done.get(name, Stage(name)) for name in STAGES]
