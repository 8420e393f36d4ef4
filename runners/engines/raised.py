"""What a graph raises of ours, made again of the text that Beam hands on: who calls sees why, and ends with its code."""

import re

from schemas.errors import JobFailed, SegueError, SourceChanged, TryAgain

_KINDS = {kind.__name__: kind for kind in (JobFailed, SourceChanged, TryAgain)}
_SAID = re.compile(
    rf"\bschemas\.errors\.({'|'.join(_KINDS)}): (SEG-[0-9]{{4}}) ([^\n]*?)(?:\n  ([^\n]*?))?(?: \[while running [^\n]*)?$", re.M
)


def raised(error: BaseException) -> BaseException:
    """The error itself, or the one of ours that it tells of."""
    said = None if isinstance(error, SegueError) else _SAID.search(str(error))
    if said is None:
        return error
    found: SegueError = _KINDS[said[1]](said[2], said[3], said[4] or "")
    found.__cause__ = error
    return found
