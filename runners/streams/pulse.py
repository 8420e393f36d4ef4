"""What a stream says of itself: records a second, how far behind T is, what is to come, and how often it has published."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from runners.streams.streaming import Committed
from runners.terminal.bar import Bar
from transforms.algebra.order import FOREVER

_OVER_S = 30.0
"""The rate is that of so many seconds."""


@dataclass
class Pulse:
    """Counts commits. `now` is the clock that T is told by, `until_at` how far T goes, both int64 microseconds UTC."""

    bar: Bar
    now: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    until_at: int = FOREVER
    began: float = field(init=False)
    records: int = 0
    commits: int = 0
    remade: int = 0
    last: Committed | None = None
    lately: deque[tuple[float, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def note(self, one: Committed) -> None:
        """A cut was closed."""
        self.last = one
        self.records += one.records
        self.remade += one.remade
        self.commits += one.published.status == "published"
        if one.records:
            self.lately.append((self.clock(), one.records))
        self.beat()

    @property
    def rate(self) -> float:
        """Records a second."""
        now = self.clock()
        while self.lately and now - self.lately[0][0] > _OVER_S:
            self.lately.popleft()
        return sum(records for _, records in self.lately) / max(1.0, min(_OVER_S, now - self.began))

    def beat(self) -> None:
        """Say how it goes, unless it was said just now."""
        if self.last is not None:
            rate = self.rate
            lag_s = max(0.0, (self.now() - self.last.t_at) / 1_000_000)
            text = (
                f"live  {self.records:,} records, {rate:,.0f} a second · {self._how_far(self.last.t_at, lag_s)} · "
                f"{self.last.waiting:,} subjects will change without news · {self.commits:,} commits"
            )
            fields = {"rows": self.records, "rate": round(rate, 1), "lag_s": round(lag_s, 3), "timers": self.last.waiting}
            self.bar.beat(text, **fields, commits=self.commits)

    def _how_far(self, t_at: int, lag_s: float) -> str:
        if not self.lately:
            return "nothing comes"
        return f"T is {lag_s:,.1f} s behind" if t_at < self.until_at else "T is at `as_of`, and goes no further"
