"""How far a run has come: a counter that the readers tick and the terminal polls."""

import threading

_lock = threading.Lock()
_count = 0


def tick(records: int) -> None:
    """Count records that are read."""
    global _count
    with _lock:
        _count += records


def ticked() -> int:
    """Records read since the process began."""
    return _count
