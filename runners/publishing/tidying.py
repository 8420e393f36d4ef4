"""Tidy the warehouse beside publishing: whatever becomes of it, what is published is published."""

import time
from collections.abc import Callable, Iterator

from runners.warehouses.lake import GRACE, Lake
from schemas.errors import SegueError


def tidy_daily(lake: Lake, note: Callable[[str], None]) -> None:
    """Tidy if that was not done for a day. Only the holder of the lock may."""
    for _ in _told(lambda: lake.tidying(GRACE) if lake.is_untidy() else iter(()), note):
        pass


def tidying(lake: Lake, grace: str, every_s: float, note: Callable[[str], None]) -> Iterator[None]:
    """Tidy again and again, so many seconds after the last time, a step at each `next`. Only the holder of the lock may."""
    while True:
        ended = time.monotonic()
        yield
        while time.monotonic() - ended < every_s:
            yield
        yield from _told(lambda: lake.tidying(grace), note)


def _told(steps: Callable[[], Iterator[None]], note: Callable[[str], None]) -> Iterator[None]:
    """The steps; `note` is told if one fails, which it may: the next time finds what this one has left."""
    try:
        yield from steps()
    except Exception as error:  # noqa: BLE001  all is published, and the next run has nothing to do with it
        why = error.message if isinstance(error, SegueError) else type(error).__name__
        note(f"the warehouse was not tidied, which concerns nothing that is published, and is tried again: {why}")
