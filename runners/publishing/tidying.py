"""Tidy the warehouse beside publishing: whatever becomes of it, what is published is published."""

from collections.abc import Callable

from runners.warehouses.lake import GRACE, Lake
from schemas.errors import SegueError


def tidy_daily(lake: Lake, note: Callable[[str], None]) -> None:
    """Tidy if that was not done for a day. Only the holder of the lock may."""

    def work() -> None:
        if lake.is_untidy():
            lake.tidy(GRACE)

    _told(work, note)


def tidy_now(lake: Lake, grace: str, note: Callable[[str], None]) -> None:
    """Tidy. Only the holder of the lock may."""
    _told(lambda: lake.tidy(grace), note)


def _told(work: Callable[[], None], note: Callable[[str], None]) -> None:
    """Do it; `note` is told if it fails, which it may: the next one finds what this one has left."""
    try:
        work()
    except Exception as error:  # noqa: BLE001  all is published, and the next run has nothing to do with it
        why = error.message if isinstance(error, SegueError) else type(error).__name__
        note(f"the warehouse was not tidied, which concerns nothing that is published, and is tried again: {why}")
