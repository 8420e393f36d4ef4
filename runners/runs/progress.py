"""How far a run has come: counters that the readers tick and the terminal polls."""

import threading

_lock = threading.Lock()
_records = _bytes = 0


def tick(records: int, size: int) -> None:
    """Count records that are decoded, and bytes of files that are read."""
    global _records, _bytes
    with _lock:
        _records, _bytes = _records + records, _bytes + size


def ticked() -> tuple[int, int]:
    """Records and bytes since the process began."""
    with _lock:
        return _records, _bytes
