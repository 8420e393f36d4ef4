"""What the system says of files, told as what it is: nothing was published, and the next run can go on."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import JobFailed

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_MANY = {errno.EMFILE, errno.ENFILE}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_SAID = re.compile(r"(?:OS|Permission)Error: \[Errno (\d+)\][^\n']*(?:'([^'\n]+)')?")
"""What is left of an error that comes out of the graph: Beam hands on its text. Its number, and the file."""


@contextmanager
def disk_told() -> Iterator[None]:
    """Raise JobFailed where the system says that a file has no room, is broken, is one too many, or is not this user's."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        said = dict(_said(error))
        if said.keys() & _FULL:
            raise JobFailed(
                "SEG-0604", "a file could not be written", "is the disk full? Nothing was published"
            ) from error
        if errno.EIO in said:
            raise disk_failed() from error
        if said.keys() & _MANY:
            raise too_many_files() from error
        if said.keys() & _CLOSED:
            raise not_allowed(said[min(said.keys() & _CLOSED)]) from error
        raise


def _said(error: Exception) -> Iterator[tuple[int, str]]:
    """The numbers of the system's errors, and the file of each."""
    for number, path in _SAID.findall(str(error)):
        yield int(number), path
    if isinstance(error, OSError) and error.errno is not None:
        yield error.errno, str(error.filename or "")


def disk_failed() -> JobFailed:
    """The disk is not full, but broken."""
    return JobFailed("SEG-0625", "the disk failed under a file", "see what the system's log says of it")


def too_many_files() -> JobFailed:
    """The system opens no further file for this process."""
    return JobFailed("SEG-0624", "too many files are open", "allow more: `ulimit -n`")


def not_allowed(path: str) -> JobFailed:
    """The file or folder is closed to this user."""
    place = f"`{path}`" if path else "a file"
    hint = "give this user the right to read it and, where it belongs to the warehouse, to write it"
    return JobFailed("SEG-0616", f"{place} is closed to this user", hint)
