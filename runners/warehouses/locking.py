"""One writer at a time on this machine: who holds the lock of a folder."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import TryAgain

LOCK = "lake.lock"


@dataclass
class Lock:
    """A folder that this process holds alone, until it gives it back or ends."""

    descriptor: int | None

    def release(self) -> None:
        """Give it back."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def locked(root: Path) -> Lock:
    """The lock of a folder, which is made if need be. Errors: TryAgain where another process holds it."""
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise TryAgain("SEG-0602", f"another process is writing to {root}", "try again when it has finished") from error
    return Lock(descriptor)
