"""Folders that are swept once nobody is left whose they are.

Whoever makes one holds a lock beside it. The system gives the lock back when the process ends, in whichever container of the
machine it ran; the number of a process would mean another one elsewhere.
"""

import fcntl
import glob
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

ENDING = ".lease"


@dataclass
class Lease:
    """Names in one folder that are this holder's own: `folder`, and what is called like it, then `-` or `.` and more."""

    folder: Path
    descriptor: int | None

    def release(self) -> None:
        """Give the names back: what is still called so is swept."""
        if self.descriptor is not None:
            self.folder.with_suffix(ENDING).unlink(missing_ok=True)
            os.close(self.descriptor)
            self.descriptor = None


def lease(parent: Path) -> Lease:
    """Names below a folder, which is made if need be, until they are released or this process ends."""
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        folder = parent / secrets.token_hex(8)
        beside = folder.with_suffix(ENDING)
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        if _is_locked(descriptor, fcntl.LOCK_EX) and beside.exists():  # else it was swept before it was locked
            return Lease(folder, descriptor)
        os.close(descriptor)


def sweep_leases(parent: Path) -> int:
    """Remove the folders that nobody holds; gives how many there were. One process may at a time."""
    there = sorted(parent.iterdir()) if parent.is_dir() else []
    return sum(_sweep(parent, holder) for holder in sorted({re.split("[-.]", path.name)[0] for path in there}))


def _sweep(parent: Path, holder: str) -> int:
    beside = parent / f"{holder}{ENDING}"
    try:
        descriptor = os.open(beside, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # it was made before any folder, and went after all of them
        return _remove(parent, holder)
    try:
        if not _is_locked(descriptor, fcntl.LOCK_SH):
            return 0
        removed = _remove(parent, holder)
        beside.unlink(missing_ok=True)
        return removed
    finally:
        os.close(descriptor)


def _remove(parent: Path, holder: str) -> int:
    own = [path for path in parent.glob(f"{glob.escape(holder)}*") if path.is_dir() and re.split("[-.]", path.name)[0] == holder]
    for path in own:
        shutil.rmtree(path, ignore_errors=True)
    return len(own)


def _is_locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
