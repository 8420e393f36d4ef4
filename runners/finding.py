"""What an audit found: which rule is broken, how often, where and why; never a value of a record."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.errors import AuditFailed


class Finding(NamedTuple):
    """A broken rule: how many rows break it, why that matters, and the places of up to three of them."""

    check: str
    violations: int
    why: str
    places: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" ({'; '.join(self.places)})" if self.places else ""
        return f"{self.check}: {self.violations} row(s){where}: {self.why}"


def place(path: str, row: int | None) -> str:
    """`table/shard.parquet`, and the row in it, from 0."""
    short = "/".join(path.split("/")[-2:])
    return short if row is None else f"{short} row {row}"


def fail(found: Sequence[Finding]) -> None:
    """Raise AuditFailed if anything was found."""
    if found:
        listed = "\n  ".join(map(str, found))
        raise AuditFailed("SEG-0610", f"the audit failed, nothing was published:\n  {listed}")
