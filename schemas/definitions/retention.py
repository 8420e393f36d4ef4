"""For how long events are kept: until no purpose could still open over their time (semantics 7)."""

from typing import NamedTuple

from schemas.definitions.duration import write_duration
from schemas.definitions.project import Project


class Wanted(NamedTuple):
    """What a purpose has to declare before anything is removed: the key, and what it is to say."""

    purpose: str
    key: str
    expected: str


def retention(project: Project) -> int | None:
    """How old an event of any purpose gets, microseconds; None where events are kept for ever."""
    kept = [purpose.retention for purpose in project.purposes.values() if purpose.retention is not None]
    return None if wanting(project) is not None or not kept else max(kept)


def longest_lookback(project: Project) -> int | None:
    """How long any event counts for any purpose, microseconds; None where one counts for ever."""
    found = [purpose.max_lookback for purpose in project.purposes.values()]
    bounded = [length for length in found if length is not None]
    return max(bounded) if bounded and len(bounded) == len(found) else None


def wanting(project: Project) -> Wanted | None:
    """Why nothing is removed, though any purpose says for how long its data are kept; the first purpose that is in the way.

    Answers from `state_reach` before T on can always be computed: that much of what counts there is kept, too.
    """
    reach = write_duration(project.state_reach)
    for name, purpose in project.purposes.items():
        if purpose.retention is None:
            return Wanted(name, "retention", "how long its data are kept")
        longest = purpose.retention - project.state_reach
        if longest <= 0:
            return Wanted(name, "retention", f"more than {reach}, the project's `state_reach`")
        if purpose.max_lookback is None or purpose.max_lookback > longest:
            less = f"its `retention` of {write_duration(purpose.retention)} less `state_reach` of {reach}"
            return Wanted(name, "max_lookback", f"at most {write_duration(longest)}: {less}")
    return None
