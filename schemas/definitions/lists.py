"""List files: the ids in a column of a CSV file inside the project; their content belongs to the definitions."""

import csv
from pathlib import Path

import pyarrow as pa

from schemas.definitions.project import Project
from schemas.definitions.refusal import nearest_to
from schemas.errors import Problem


def read_lists(project: Project, problems: list[Problem]) -> dict[tuple[str, str], pa.Array]:
    """The ids of every list that a segment names, by (file, column), normalised like the events' subjects."""
    lists: dict[tuple[str, str], pa.Array] = {}
    for segment in project.segments.values():
        for node in segment.when.walk():
            for file, column in node.references().lists:
                if (file, column) not in lists:
                    lists[file, column] = _read(project, file, column, segment.file, problems)
    return lists


def inside(root: Path, file: str) -> Path | None:
    """The path of a file of the project, or None where it would lie outside or behind a symbolic link."""
    path = root / file
    parts = [root.joinpath(*Path(file).parts[: n + 1]) for n in range(len(Path(file).parts))]
    if Path(file).is_absolute() or ".." in Path(file).parts or any(part.is_symlink() for part in parts):
        return None
    return path


def _read(project: Project, file: str, column: str, where: str, problems: list[Problem]) -> pa.Array:
    path = inside(project.root, file)
    if path is None or not path.is_file():
        code, message = ("SEG-0401", "lies outside of the project") if path is None else ("SEG-0402", "does not exist")
        problems.append(Problem(code, f"the list `{file}` {message}", where, expected="a CSV file of the project"))
        return pa.array([], pa.string())
    with path.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        names = rows.fieldnames or []
        if column not in names:
            nearest = nearest_to(column, names)
            problems.append(Problem("SEG-0409", f"the list `{file}` has no column `{column}`", where, nearest=nearest))
            return pa.array([], pa.string())
        return pa.array(sorted({_normal(project, row[column] or "") for row in rows} - {""}), pa.string())


def _normal(project: Project, value: str) -> str:
    """As the first source of events makes its ids equal."""
    for step in next((s.normalise for s in project.sources.values() if s.kind == "events" and s.normalise), ()):
        value = value.strip() if step == "trim" else value.lower()
    return value
