"""What stands in the warehouse, for those who only look."""

from collections.abc import Iterator
from contextlib import contextmanager

from runners.warehouses.entry import is_there, open_warehouse
from runners.warehouses.lake import Lake
from runners.warehouses.query import tables
from runners.warehouses.tables import VERSIONS
from schemas.definitions.project import Project


@contextmanager
def standing_of(project: Project) -> Iterator[Lake | None]:
    """The target's warehouse in one state of it, read-only; None where no run has made its tables yet."""
    if not is_there(project):
        yield None
        return
    with open_warehouse(project) as lake, lake.snapshot():
        yield lake if VERSIONS.name in tables(lake) else None  # the first run may have been stopped before it made them
