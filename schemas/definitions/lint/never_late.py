"""What is said of late events where none can be told: in a file, an event without a receipt arrives when it happens."""

from collections.abc import Iterator

from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.errors import Problem

_OF_LATENESS = ("allowed_lateness", "on_late")


def never_late(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each source of files of events that says what becomes of late ones and maps no `received_at`."""
    for name, source in project.sources.items():
        form = reading.forms["sources"][name]
        said = [key for key in _OF_LATENESS if key in form.model_fields_set]
        if source.kind == "events" and source.kafka is None and said and "received_at" not in source.fields:
            message = f"`{said[0]}` can never act: without `received_at` no event of `{name}` is late"
            document, expected = reading.documents["sources", name], "`received_at` among `fields`"
            yield document.problem("SEG-0805", message, (said[0],), of_key=True, expected=expected, severity="warning")
