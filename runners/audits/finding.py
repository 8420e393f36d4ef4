"""What an audit found: what each check saw, and which rule is broken, how often, where and why; never a value of a record."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.definitions.comparison import Comparison
from schemas.definitions.lineage import Item
from schemas.errors import AuditFailed


class Finding(NamedTuple):
    """A broken rule: how many rows break it, why that matters, and the places of up to three of them.

    Attributes:
      concerns: the definition whose expectation it is; None for a rule of the warehouse.
    """

    check: str
    violations: int
    why: str
    places: tuple[str, ...] = ()
    concerns: Item | None = None

    def __str__(self) -> str:
        where = f" ({'; '.join(self.places)})" if self.places else ""
        return f"{self.check}: {self.violations} row(s){where}: {self.why}"


class Measure(NamedTuple):
    """A number of a staged run that something is expected of.

    Attributes:
      label: what it is the number of.
      item: the definition that expects it.
      value: None where it is unknown, which meets every expectation.
      sql: a query of the rows that it counts, with `_file` and `_row`, if it counts any.
    """

    label: str
    item: Item
    expected: Comparison
    value: int | float | None
    sql: str = ""


class Checked(NamedTuple):
    """One check of an audit, whatever it found.

    Attributes:
      check: its name.
      figure: what was measured, as text: of a rule how many rows break it.
      expected: what it should be.
      finding: what is wrong, None where nothing is.
      sql: a query of the rows that break it, over what is staged; empty where one number is measured.
    """

    check: str
    figure: str
    expected: str
    finding: Finding | None = None
    sql: str = ""

    def document(self) -> dict[str, Any]:
        """The whole of it, JSON-able."""
        found = self.finding
        return {
            "check": self.check,
            "status": "success" if found is None else "error",
            "figure": self.figure,
            "expected": self.expected,
            "rows": 0 if found is None else found.violations,
            "places": [] if found is None else list(found.places),
            "sql": self.sql,
        }


class FoundWanting(AuditFailed):
    """An audit that failed, with all that it found and all that it looked at."""

    def __init__(self, checks: Sequence[Checked]) -> None:
        super().__init__("SEG-0610", "the audit failed, nothing was published")
        self.checks = tuple(checks)
        self.findings = tuple(one.finding for one in checks if one.finding is not None)

    def __str__(self) -> str:
        return "\n  ".join([f"{self.code} {self.message}:", *map(str, self.findings)])


def place(path: str, row: int | None) -> str:
    """`table/shard.parquet`, and the row in it, from 0."""
    short = "/".join(path.split("/")[-2:])
    return short if row is None else f"{short} row {row}"


def passed(checks: Sequence[Checked]) -> tuple[Checked, ...]:
    """The checks of an audit. Errors: FoundWanting if any of them found anything."""
    if any(one.finding is not None for one in checks):
        raise FoundWanting(checks)
    return tuple(checks)
