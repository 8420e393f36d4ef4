"""What an audit found: which rule is broken, how often, where and why; never a value of a record."""

from collections.abc import Sequence
from typing import NamedTuple

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


class FoundWanting(AuditFailed):
    """An audit that failed, with all that it found."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("SEG-0610", "the audit failed, nothing was published")
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return "\n  ".join([f"{self.code} {self.message}:", *map(str, self.findings)])


def place(path: str, row: int | None) -> str:
    """`table/shard.parquet`, and the row in it, from 0."""
    short = "/".join(path.split("/")[-2:])
    return short if row is None else f"{short} row {row}"


def fail(found: Sequence[Finding]) -> None:
    """Raise FoundWanting if anything was found."""
    if found:
        raise FoundWanting(found)
