"""Promises of a purpose that this version does not keep: said at load, so that nobody relies on them."""

from collections.abc import Iterator

from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.retention import wanting
from schemas.errors import Problem


def unkept_promises(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each purpose that wants data removed that are not."""
    document, wanted = reading.documents["purposes", ""], wanting(project)
    for index, purpose in enumerate(project.purposes.values()):
        if purpose.retention is not None and wanted is not None:
            message = f"`retention` is not carried out: nothing is removed before `{wanted.purpose}` declares `{wanted.key}`"
            place = ("purposes", index, "retention")
            yield document.problem(
                "SEG-0804", message, place, expected=f"`{wanted.key}`: {wanted.expected}", of_key=True, severity="warning"
            )
        if purpose.on_withdraw == "erase":
            message = f"`on_withdraw` is not carried out yet: nothing is removed for `{purpose.id}`"
            yield document.problem("SEG-0804", message, ("purposes", index, "on_withdraw"), of_key=True, severity="warning")
