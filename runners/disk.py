"""A disk that is full, told as what it is: nothing was published, and the next run can go on."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import JobFailed

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_SAID = re.compile(r"OSError: \[Errno (\d+)\]")
"""What is left of an error that comes out of the graph: Beam hands on its text."""


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Raise JobFailed where the system says that a file could not be written for want of room."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        said = {int(number) for number in _SAID.findall(str(error))} | {getattr(error, "errno", None)}
        if not said & _FULL:
            raise
        raise JobFailed("SEG-0604", "a file could not be written", "is the disk full? Nothing was published") from error
