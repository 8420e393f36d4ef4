"""docs/tables.md, written from the tables themselves: `python -m runners.pages.tables`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

from runners.warehouses.ducklake import open_lake
from runners.warehouses.ducklake_tables import sql_types
from runners.warehouses.preparing import prepare
from runners.warehouses.questions import QUESTIONS, Question
from runners.warehouses.tables import TABLES, Table
from runners.warehouses.views import VIEWS, View

FILE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
_INTERNAL = "Internal"
"""Begins the comment of what may change in any version."""

_OPEN = " ".join(
    (
        "INSTALL ducklake; INSTALL sqlite; LOAD ducklake; LOAD sqlite; SET TimeZone = 'UTC';",
        "ATTACH 'ducklake:sqlite:warehouse/catalog.sqlite' AS segue",
        "(READ_ONLY, DATA_PATH 'warehouse/data', OVERRIDE_DATA_PATH true);",
        "USE segue",
    )
)
_INTRODUCTION = f"""
<!-- Written by `make docs` from the tables, the views and their comments. -->

# The tables

What is published lies in tables that any tool reads that speaks DuckLake 1.0. In the project's folder the command line of DuckDB
1.5 opens them, read-only and while runs go on, by

    duckdb -cmd "{_OPEN}"

and `segue query "SQL"` and `segue show TABLE` read them without it. Five things to know:

- Instants are UTC. T, `valid_from`, `"at"` are when something holds; K, `known_from`, `known_to` when it was known. A row with
  `known_to` null is believed now.
- Intervals hold their beginning and not their end: `valid_from <= T AND (valid_to IS NULL OR valid_to > T)`.
- `as_of(T, K)` is a macro that the warehouse keeps: the members at T by what was published at K, both texts or TIMESTAMPTZ, as
  `segment`, `version`, `subject`, `since`, `purpose`. A K before the first run knows of nobody; a T after the last one is as that
  one left it. It takes names from where it is called, which `USE` has set.
- `"at"` needs its quotes. Comments on tables and columns say what is said here: `FROM duckdb_columns()`.
- The tables of facts have a column for each declared property, too, and `feature_rows` one for each feature:
  `group__name_window`.

Tables whose comment begins with Internal may change in any version; ask the views.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield from (*_INTRODUCTION.strip().splitlines(), "", "## What people ask first", "")
    yield from ("Of the `grocer` example, at the beginning of 2018.", "")
    for question in QUESTIONS:
        yield from _asked(question)
    yield from ("## Views", "")
    types = _types()
    for view in VIEWS:
        yield from _view(view, types[view.name])
    yield from ("## Tables", "")
    for table in TABLES:
        yield from _table(table)


def _asked(question: Question) -> Iterator[str]:
    yield from (f"**{question.words}**", "", "```sql", *dedent(question.sql).strip().splitlines(), "```", "")


def _types() -> dict[str, dict[str, str]]:
    """The types of the columns of each view, as a new warehouse has them."""
    with TemporaryDirectory() as folder, open_lake(Path(folder), write=True) as lake:
        prepare(lake)
        return {view.name: {name: kind for name, (kind, _) in lake.columns(view.name).items()} for view in VIEWS}


def _view(view: View, types: Mapping[str, str]) -> Iterator[str]:
    yield from (f"### `{view.name}`", "", view.comment, "", "| column | type | |", "|---|---|---|")
    yield from (f"| `{name}` | {types[name]} | {_cell(meaning)} |" for name, meaning in view.columns.items())
    yield ""


def _table(table: Table) -> Iterator[str]:
    yield from (f"### `{table.name}`", "", table.comment, "")
    if not table.comment.startswith(_INTERNAL):
        yield from ("| column | type | |", "|---|---|---|")
        yield from (f"| `{name}` | {kind} | {_cell(table.comments[name])} |" for name, kind in sql_types(table.schema).items())
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(page())
