"""Lateness that a source allows and that events do not live for: what comes that late finds nothing left to correct."""

from collections.abc import Iterator

from schemas.definitions.duration import write_duration
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.retention import longest_lookback, retention
from schemas.errors import Problem


def outlived_lateness(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each source that allows more lateness than `retention` leaves behind the longest `max_lookback`."""
    kept, lookback = retention(project), longest_lookback(project)
    if kept is None or lookback is None:
        return
    left = write_duration(kept - lookback)
    for name, source in project.sources.items():
        if source.allowed_lateness is not None and source.allowed_lateness > kept - lookback:
            message = f"an event that is later than {left} corrects nothing of the time before what `retention` leaves"
            expected = f"at most {left}: the longest `retention` less the longest `max_lookback`"
            document = reading.documents["sources", name]
            yield document.problem("SEG-0814", message, ("allowed_lateness",), expected=expected, severity="warning")
