"""What goes wrong with a warehouse, as its user is told: the catalog, its files, the disk."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from runners.disk import disk_failed, disk_told, not_allowed, too_many_files
from schemas.errors import CallError, JobFailed, SegueError, TryAgain
from schemas.kinds import KINDS

CATALOG = "catalog.sqlite"
_BUSY = ("failed to probe", "database is locked", "database is busy", "conflict", "new ducklake is explicitly disabled")
"""The last is said of a catalog that another process is just making."""
_DAMAGED = ("file is not a database", "disk image is malformed")
_REFUSED = ("readonly database", "unable to open database", "permission denied", "read-only file system")
_UNREAD = ("don't know what type", "tprotocolexception", "decompression fail")
"""What the engine says of a Parquet file that is damaged inside, without its name."""
_ABSENT = re.compile("Table with name (\\w+) does not exist")
_BROKEN = ("input/output error", "fsync failed")
_FULL = ("no space left", "file too large", "disk full", "disk is full", "could not write")
_EITHER = "disk i/o error"
"""SQLite says so of a disk that fails, and of one that has no room for its log's index."""
_OF_A_CATALOG = 8
"""So many files, and no more, are open while a catalog is opened."""


@contextmanager
def told(root: Path) -> Iterator[None]:
    """Turn what the engine says of the catalog and the disk into this project's errors."""
    try:
        yield
    except duckdb.Error as error:
        told = _translated(str(error), root)
        if told is None:
            raise
        raise told from error


def _translated(message: str, root: Path) -> SegueError | None:
    low = message.lower()
    if "too many open files" in low:
        return too_many_files()
    if any(sign in low for sign in _DAMAGED):
        away = "restore it from a copy; or move the whole folder away, and `segue run` makes a warehouse anew from the sources"
        return JobFailed("SEG-0615", f"`{root / CATALOG}` is no catalog of a warehouse, or is damaged", away)
    if any(sign in low for sign in _REFUSED):
        return _refused(low, root)
    if (file := table_file(message, root)) or any(sign in low for sign in _UNREAD):
        return lost(root, file)
    if (found := _ABSENT.search(message)) and found[1] in KINDS:
        message = f"the warehouse in {root} is of an earlier version: it has no table `{found[1]}`"
        return CallError("SEG-0600", message, "`segue run` makes it")
    if any(sign in low for sign in _BROKEN):
        return disk_failed()
    if any(sign in low for sign in _FULL):
        return JobFailed("SEG-0604", "the warehouse could not be written", "is its disk full? Nothing was published")
    if _EITHER in low:
        hint = "is its disk full, or does it fail? The system's log says so then. Nothing was published"
        return JobFailed("SEG-0604", "the warehouse could not be read or written", hint)
    if any(sign in low for sign in _BUSY):
        return TryAgain("SEG-0605", "the warehouse's catalog is busy", "try again when the other process has finished")
    return None


def _refused(said: str, root: Path) -> SegueError:
    """Of a catalog that may be written, it means that a reader has found nothing in it."""
    places, wanted = (root, root / CATALOG, root / "data"), os.R_OK | os.W_OK
    closed = [path for path in places if not os.access(path, wanted, effective_ids=True)]
    if not closed and "readonly database" in said:
        return CallError("SEG-0601", f"there is no warehouse in {root}", "`segue run` makes it")
    if not closed and "unable to open database" in said:
        return disk_failed() if _EITHER in said else _unopened(root)
    return not_allowed(str((closed or [root])[0]))


def _unopened(root: Path) -> SegueError:
    """The catalog does not say why the system did not open it, so as many files are opened once more."""
    try:
        with disk_told(), ExitStack() as opened:
            for _ in range(_OF_A_CATALOG):
                opened.callback(os.close, os.open(root, os.O_RDONLY))  # to close the catalog itself gives its locks back
    except SegueError as error:
        return error
    hint = "are too many files open (`ulimit -n` allows more), or does the disk fail? The system's log says so then"
    return JobFailed("SEG-0626", f"the system does not open `{root / CATALOG}`", hint)


def table_file(message: str, root: Path) -> str:
    """The file of a table that a message names, below `root`; empty where it names none."""
    begin = message.find(str(root / "data"))
    name, ending, _ = message[begin:].partition(".parquet")
    return f"{name}{ending}".removeprefix(f"{root}/") if begin >= 0 and ending else ""


def lost(root: Path, file: str) -> JobFailed:
    """A file of a table is not there, or not as it was written."""
    what = f"the file `{file}` of a table" if file else "a file of a table"
    remedy = "restore it from a copy; or move the whole folder away, and `segue run` makes a warehouse anew from the sources"
    return JobFailed("SEG-0617", f"{what} in {root} is gone or damaged", remedy)
