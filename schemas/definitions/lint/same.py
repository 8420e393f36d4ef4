"""Two names for one meaning: both are computed and published, and one of them will be changed without the other."""

from collections.abc import Iterable, Iterator

from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.errors import Problem


def two_names(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each segment and each feature column that means what another one means."""
    segments = ((name, one.meaning) for name, one in sorted(project.segments.items()))
    for name, other in _repeated(segments):
        message, document = f"`{name}` means the same as `{other}`", reading.documents["segments", name]
        expected = f"in_segment: {other}, or another condition"
        yield document.problem("SEG-0812", message, ("segment",), expected=expected, severity="warning")
    columns = {
        reference: (column.meaning, project.features[column.group].purposes)
        for reference, column in sorted(project.feature_columns.items())
    }
    for reference, other in _repeated(columns.items()):
        group = project.feature_columns[reference].group
        index = project.features[group].aggregates.index(project.feature_columns[reference].aggregate)
        message, document = f"`{reference}` means the same as `{other}`", reading.documents["features", group]
        expected, place = "one column for one meaning", ("aggregates", index)
        yield document.problem("SEG-0812", message, place, expected=expected, severity="warning")


def _repeated(meanings: Iterable[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    """Each name that has the meaning of an earlier one, and that one."""
    first: dict[object, str] = {}
    for name, meaning in meanings:
        if first.setdefault(meaning, name) != name:
            yield name, first[meaning]
