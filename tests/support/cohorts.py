"""A table of cohorts as segments: who first came in one period, and came in another."""

import csv
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]
Table = dict[tuple[int, int], int]
"""(number of the cohort, periods since) -> subjects; both count from 0."""


class Period(NamedTuple):
    """A calendar period: its name, its first date and the first date after it."""

    name: str
    first: date
    after: date


def periods_between(starts: Sequence[date], pattern: str) -> list[Period]:
    """The periods that begin on all dates but the last, named by the pattern."""
    return [Period(f"{first:{pattern}}", first, after) for first, after in pairwise(starts)]


def cohort_segments(event: str, periods: Sequence[Period], cohorts: int, reach: int) -> list[Json]:
    """`first_*`, `active_*`, and `cell_*` of both, for the first cohorts and so many periods since."""
    made = [_segment(f"first_{one.name}", {"first_time": _within(event, one)}) for one in periods[:cohorts]]
    made += [_segment(f"active_{one.name}", {"did": _within(event, one)}) for one in periods]
    for name, (cohort, since) in cells(periods, cohorts, reach).items():
        both = [f"first_{periods[cohort].name}", f"active_{periods[cohort + since].name}"]
        made.append(_segment(name, {"all": [{"in_segment": one} for one in both]}))
    return made


def cells(periods: Sequence[Period], cohorts: int, reach: int) -> dict[str, tuple[int, int]]:
    """The segment of each cell, with its cohort and the periods since."""
    found = [(i, j) for i in range(cohorts) for j in range(reach + 1) if i + j < len(periods)]
    return {f"cell_{periods[i].name}_{j}": (i, j) for i, j in found}


def _segment(name: str, when: Json) -> Json:
    return {"segment": name, "purpose": "counting", "when": when}


def _within(event: str, period: Period) -> Json:
    return {"event": event, "window": {"from": period.first, "to": period.after}}


def read_table(path: Path) -> Table:
    """A published table of cohorts: a row a cohort, a column for each period since; what is empty is left out."""
    with path.open(newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    return {(i, j): int(cell) for i, row in enumerate(rows) for j, cell in enumerate(row[1:]) if cell}
