"""Promises of a purpose that this version does not keep: said at load, so that nobody relies on them."""

from collections.abc import Iterator

from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.errors import Problem


def unkept_promises(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each purpose that wants data removed: nothing is removed from the warehouse yet."""
    document = reading.documents["purposes", ""]
    for index, purpose in enumerate(project.purposes.values()):
        wanted = {"retention": purpose.retention is not None, "on_withdraw": purpose.on_withdraw == "erase"}
        for key in (key for key, is_wanted in wanted.items() if is_wanted):
            message = f"`{key}` is not carried out yet: nothing is removed for `{purpose.id}`"
            yield document.problem("SEG-0804", message, ("purposes", index, key), of_key=True, severity="warning")
