"""The files and databases that sources name: where they lie, how they are written, and whether there are any."""

from pathlib import PurePosixPath
from typing import Any

from schemas.definitions.paths import REMOTE, inside, matching
from schemas.definitions.problems import refused
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.refusal import nearest_to, show
from schemas.definitions.source import Source
from schemas.definitions.yaml import Document, Path

FORMATS = (".ndjson", ".csv", ".parquet")
ALIASES = (".jsonl", ".json")
"""Other endings of files of one JSON object a line."""
COMPRESSIONS = (".gz", ".zst")


def check_files(project: Project, reading: Reading) -> None:
    """See that each source's files may be read; a pattern without files is a warning."""
    for name, source in project.sources.items():
        document = reading.documents["sources", name]
        written = document.at(("from", "files")) if source.files else ()
        for index, pattern in enumerate(source.files):
            path: Path = ("from", "files", index) if isinstance(written, list) else ("from", "files")
            _check(project, reading, source, document, pattern, path)
        if source.table and "${" not in source.table:
            _check_place(project, reading, document, source.table.partition("#")[0].partition(":")[2])


def _check_place(project: Project, reading: Reading, document: Document, place: str) -> None:
    try:
        inside(project.root, place, project.roots)
    except ValueError as error:
        reading.problems.append(refused(error, document, ("from", "table")))


def _check(project: Project, reading: Reading, source: Source, document: Document, pattern: str, path: Path) -> None:
    if not _is_format(pattern, source):
        nearest, message = nearest_to(PurePosixPath(pattern).suffix, FORMATS), "files of no format that is read"
        more: dict[str, Any] = {"expected": _expected(source), "found": show(pattern), "nearest": nearest}
        reading.problems.append(document.problem("SEG-0407", message, path, **more))
    if found := REMOTE.match(pattern):
        message, expected = "this version does not read from there", "files of the project, or below one of its `roots`"
        reading.problems.append(document.problem("SEG-0412", message, path, expected=expected, found=found[0]))
        return
    try:
        inside(project.root, pattern, project.roots)
        is_empty = not list(matching(project.root, pattern, project.roots))
    except ValueError as error:
        reading.problems.append(refused(error, document, path))
        return
    if is_empty:
        message = f"no file matches `{show(pattern)}`"
        reading.warnings.append(document.problem("SEG-0801", message, path, severity="warning"))


def _is_format(pattern: str, source: Source) -> bool:
    """A lookup is a table with a header; other sources may be anything that is read."""
    suffixes = PurePosixPath(pattern).suffixes
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes = suffixes[:-1]
    last = suffixes[-1] if suffixes else ""
    return last in (FORMATS[1:] if source.kind == "lookup" else (*FORMATS, *ALIASES))


def _expected(source: Source) -> str:
    return ".csv or .parquet" if source.kind == "lookup" else ".ndjson, .csv or .parquet, each also .gz or .zst"
