"""List files: the ids in a column of a CSV file inside the project; their content belongs to the definitions."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from schemas.definitions.paths import inside
from schemas.definitions.problems import refused
from schemas.definitions.reading import Reading
from schemas.definitions.refusal import listed, nearest_to, refuse, show
from schemas.definitions.source import Source

Lists = dict[tuple[str, str], pa.Array]


def read_lists(reading: Reading, sources: Iterable[Source]) -> Lists:
    """The ids of every list that a segment names, by (file, column), normalised like ids, sorted, each once."""
    steps = sorted({source.normalise for source in sources if source.kind != "lookup"}) or [()]
    lists: Lists = {}
    for document, path, file, column in reading.lists:
        if (file, column) in lists:
            continue
        try:
            lists[file, column] = _ids(_column(inside(reading.root, file), file, column), steps)
        except ValueError as error:
            reading.problems.append(refused(error, document, path))
    return lists


def _column(path: Path, file: str, column: str) -> list[str | None]:
    """The values of one column. Raises ValueError."""
    if not path.is_file():
        raise refuse("SEG-0402", f"the list `{show(file)}` does not exist", expected="a CSV file of the project")
    names = _header(path, file)
    if column not in names:
        nearest, expected = nearest_to(column, names), listed(names)
        raise refuse("SEG-0409", f"the list has no column `{show(column)}`", expected=expected, nearest=nearest)
    options = arrow_csv.ConvertOptions(include_columns=[column], column_types={column: pa.string()})
    try:
        table = arrow_csv.read_csv(path, convert_options=options)
    except pa.ArrowInvalid:
        raise refuse("SEG-0001", f"the list `{show(file)}` is no CSV file", expected="rows like its header") from None
    values: list[str | None] = table[column].to_pylist()
    return values


def _header(path: Path, file: str) -> Sequence[str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            return next(csv.reader(lines), [])
    except (UnicodeDecodeError, csv.Error):
        raise refuse("SEG-0001", f"the list `{show(file)}` is no CSV file", expected="UTF-8") from None


def _ids(values: Iterable[str | None], normalisers: Iterable[Sequence[str]]) -> pa.Array:
    """Sources may make ids equal in different ways; a list holds its ids in each of them."""
    said = {value for value in values if value}
    ids = {_normal(value, steps) for steps in normalisers for value in said}
    return pa.array(sorted(ids - {""}), pa.string())


def _normal(value: str, steps: Sequence[str]) -> str:
    """As the decoder makes subjects equal: blanks at the ends, capital letters."""
    for step in steps:
        value = value.strip(" ") if step == "trim" else value.lower()
    return value
