"""No Python code runs once per event: where rows become Python values is listed, each place with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("schemas", "transforms", "pipelines", "runners")
TURNS = frozenset(
    {"to_pylist", "to_pydict", "tolist", "iterrows", "itertuples", "iter_rows", "fetchall", "fetchone", "fetchmany"}
    | {"as_py", "apply", "vectorize", "frompyfunc", "nditer", "apply_along_axis", "map_elements"}
)
"""Calls that make Python values of rows, or call Python for each."""
COUNTS = frozenset({"num_rows", "nrows", "shape", "size"})
"""What a loop over row numbers counts by."""


class Place(NamedTuple):
    """Where it happens: the file, the function, and what it does."""

    file: str
    function: str
    what: str


REASONS: dict[str, tuple[Place, ...]] = {
    "of the definitions, which a run reads once": (
        Place("schemas/definitions/expression.py", "case", "loop over a column"),
        Place("runners/runs/results.py", "failed_in", "loop over a column"),
        Place("schemas/definitions/reading.py", "form", "loop over a column"),
        Place("schemas/definitions/areas.py", "_polygons", "loop over a column"),
        Place("schemas/definitions/lists.py", "_column", "to_pylist"),
        Place("schemas/definitions/composition.py", "read_noted", "loop over a column"),
        Place("runners/warehouses/held.py", "held_of_each", "loop over rows()"),
        Place("runners/audits/expecting.py", "_of_segments", "loop over rows()"),
        Place("runners/audits/expecting_sources.py", "_stored", "loop over rows()"),
        Place("runners/runs/pinning.py", "ends", "loop over a column"),
        Place("runners/runs/run_page.py", "_inputs", "loop over a column"),
        Place("runners/audits/expecting_features.py", "_in_words", "loop over a column"),
        *(Place("runners/plans/told_plan.py", told, "loop over a column") for told in ("render", "_told_leaves", "_members")),
        Place("schemas/definitions/meaning.py", "list_meaning", "to_pylist"),
        Place("transforms/algebra/project.py", "type_of", "fetchall"),
    ),
    "one number a segment or a leaf, and the three truths": (
        *(Place("transforms/algebra/state.py", "_folded", what) for what in ("to_pylist", "tolist")),
        *(Place("transforms/algebra/reduce.py", found, "tolist") for found in ("_covered", "reached")),
        Place("transforms/algebra/stacks.py", "apart", "tolist"),
        Place("transforms/algebra/closing.py", "_closes_at", "tolist"),
        Place("transforms/algebra/gone.py", "_holds_what_is_gone", "as_py"),
        Place("transforms/algebra/pending.py", "_table", "tolist"),
    ),
    "different dates, few of which are new to a process": (
        Place("transforms/algebra/calendars.py", "day_starts", "tolist"),
    ),
    "runs of neighbours among the subjects touched, where they are few": (
        Place("transforms/algebra/by_subject.py", "replaced", "tolist"),
    ),
    "one number of a whole batch": (
        Place("transforms/instants.py", "quick_micros", "as_py"),
        Place("transforms/typed.py", "quick_values", "as_py"),
        Place("transforms/ingest.py", "ingest", "as_py"),
        Place("transforms/ingest.py", "_count", "as_py"),
        Place("runners/runs/account.py", "stage_fates", "as_py"),
        Place("runners/streams/streaming.py", "_publish", "as_py"),
    ),
    "one number a chunk, and what there is of a table": (
        Place("runners/sources/rows.py", "chunks", "as_py"),
        *(Place("runners/sources/tables.py", told, "fetchall") for told in ("find", "_is_there")),
    ),
    "one part of rows a request": (
        Place("runners/warehouses/bigquery/appending.py", "_parts", "loop over row numbers"),
    ),
    "one row a file or a shard": (
        Place("runners/runs/account.py", "positions_after", "to_pylist"),
        Place("runners/runs/account.py", "undeclared", "to_pylist"),
        Place("runners/runs/account.py", "unseen", "to_pylist"),
        Place("transforms/known.py", "of", "as_py"),
        Place("transforms/known.py", "moment_of", "as_py"),
        Place("transforms/watermarks.py", "advanced", "to_pylist"),
        Place("runners/streams/carried.py", "_partitions", "to_pylist"),
        Place("schemas/cut.py", "from_json", "loop over a column"),
        Place("transforms/segment.py", "remembered", "to_pylist"),
        Place("runners/runs/remaking.py", "_again", "tolist"),
        Place("transforms/spill.py", "fetch", "as_py"),
        Place("runners/warehouses/read.py", "state_paths", "loop over rows()"),
        *(Place("runners/publishing/sweeping.py", told, "loop over rows()") for told in ("sweep", "drop_states")),
        Place("runners/publishing/sweeping.py", "_named_states", "loop over rows()"),
        Place("runners/warehouses/ducklake.py", "_attach", "fetchall"),
        *(Place("runners/warehouses/ducklake_tidying.py", told, "loop over rows()") for told in ("tidying", "_remove_files")),
        Place("runners/warehouses/whole.py", "see_data", "loop over rows()"),
    ),
    "one row a backfill, or a month of one": (
        *(Place("runners/warehouses/backfills.py", told, "loop over rows()") for told in ("backfills", "intervals_of")),
        Place("runners/warehouses/backfills.py", "from_text", "loop over a column"),
        Place("runners/backfills/intervals.py", "months", "tolist"),
    ),
    "the catalog's columns, tables and versions": (
        Place("runners/warehouses/published.py", "versions", "loop over rows()"),
    ),
    "the one door of the warehouse's small results; large ones leave as Arrow": (
        Place("runners/warehouses/lake.py", "rows", "fetchall"),
    ),
    "what a person asked to read": (
        Place("runners/warehouses/output.py", "_values", "to_pylist"),
        Place("runners/plans/previewing.py", "_first", "to_pylist"),
        Place("runners/answers/diffing.py", "told", "to_pylist"),
    ),
    "the first rows that break an expectation": (
        Place("runners/audits/expecting_features.py", "features_met", "as_py"),
    ),
    "names of events, a thousand at most": (
        Place("runners/runs/unheard.py", "unheard", "to_pylist"),
    ),
    "one subject's explanation": (
        *(Place("runners/answers/told_tree.py", told, "loop over a column") for told in ("_use", "_tree", "_missed", "_nearest")),
        Place("runners/answers/explaining.py", "_ledger", "to_pylist"),
        *(Place("transforms/algebra/explain.py", told, "to_pylist") for told in ("_events", "_identity")),
        *(Place("transforms/algebra/explain.py", told, "as_py") for told in ("explain", "_identity")),
        Place("transforms/algebra/verdicts.py", "verdict_on", "as_py"),
        Place("transforms/algebra/explain.py", "_measured", "as_py"),
        Place("transforms/algebra/explain.py", "_told", "as_py"),
    ),
    "one story's subject": (
        *(Place("runners/answers/telling.py", told, "to_pylist") for told in ("_believed", "_published")),
        Place("runners/answers/telling.py", "_explained", "as_py"),
        Place("runners/answers/story_facts.py", "receipts", "loop over a column"),
    ),
    "records that are longer than a record may be": (
        Place("runners/sources/reading.py", "_records", "tolist"),
    ),
    "a chunk that is no UTF-8: which of its records": (
        Place("transforms/columns.py", "text_or_fault", "to_pylist"),
    ),
    "a chunk that is no plain CSV: which of its records": (
        Place("transforms/raw_csv.py", "_one_by_one", "to_pylist"),
    ),
    "records that may be no JSON": (
        Place("transforms/json_engine.py", "read_each", "to_pylist"),
    ),
    "one record of each layout": (
        Place("transforms/layouts.py", "alike", "as_py"),
    ),
    "rows that are set aside": (
        Place("transforms/decode.py", "_written", "to_pylist"),
    ),
}
"""Why rows are few there, and where."""

ALLOWED = {place for places in REASONS.values() for place in places}


class _Search(ast.NodeVisitor):
    """Gathers the places of one file."""

    def __init__(self, file: str) -> None:
        self.file, self.within, self.found = file, ["-"], set[Place]()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.within.append(node.name)
        self.generic_visit(node)
        self.within.pop()

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in TURNS:
            self._note(node.func.attr)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._loop(node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._loop(node.iter)
        self.generic_visit(node)

    def _loop(self, over: ast.expr) -> None:
        """A loop over a column, over the numbers of rows, or over rows that a query gave."""
        for part in _parts(over):
            if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant) and isinstance(part.slice.value, str):
                self._note("loop over a column")
            if isinstance(part, ast.Call) and _counts_rows(part):
                self._note("loop over row numbers")
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in {"column", "rows"}:
                self._note(f"loop over {part.func.attr}()")

    def _note(self, what: str) -> None:
        self.found.add(Place(self.file, self.within[-1], what))


def _parts(over: ast.expr) -> Iterator[ast.expr]:
    """What is looped over, also inside `zip`, `enumerate` and their like."""
    yield over
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id != "range":
        for argument in over.args:
            yield from _parts(argument.value if isinstance(argument, ast.Starred) else argument)


def _counts_rows(call: ast.Call) -> bool:
    names = {part.attr for argument in call.args for part in ast.walk(argument) if isinstance(part, ast.Attribute)}
    return isinstance(call.func, ast.Name) and call.func.id == "range" and bool(names & COUNTS)


def places(source: str, file: str) -> set[Place]:
    search = _Search(file)
    search.visit(ast.parse(source))
    return search.found


def found() -> set[Place]:
    files = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
    assert len(files) > 100
    return {place for path in files for place in places(path.read_text(), path.relative_to(ROOT).as_posix())}


def test_rows_become_python_values_only_where_they_are_few() -> None:
    assert found() - ALLOWED == set()


def test_every_place_that_is_allowed_is_still_there() -> None:
    assert ALLOWED - found() == set()


@pytest.mark.parametrize(
    "code",
    [
        "for row in batch.to_pylist(): pass",
        "[row for row in batch['amount']]",
        "[batch['amount'][i].as_py() for i in range(batch.num_rows)]",
        "for a, b in zip(batch.column(0), batch['b']): pass",
        "for index, row in enumerate(lake.rows(sql)): pass",
        "frame.apply(one)",
        "con.execute(sql).fetchall()",
    ],
)
def test_a_row_by_row_way_is_found(code: str) -> None:
    assert places(f"def one():\n    {code}", "a.py") != set()


@pytest.mark.parametrize("code", ["[batch for batch in batches]", "range(len(header))", "batch['amount'].filter(mask)"])
def test_a_loop_over_batches_or_columns_is_none(code: str) -> None:
    assert places(code, "a.py") == set()
