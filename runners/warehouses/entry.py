"""The warehouse of a target, whatever holds its tables."""

from pathlib import Path

from runners.warehouses import ducklake
from runners.warehouses.lake import PATIENCE_S, Lake
from schemas.definitions.project import Project


def open_warehouse(project: Project, *, write: bool = False, patience_s: float = PATIENCE_S) -> Lake:
    """Open the target's warehouse; a writer makes it if need be and holds it alone.

    Errors: TryAgain (75) where another process is writing or it stays busy; CallError (2) where a reader finds none;
    JobFailed (1) where it is damaged, or this user may not.
    """
    return ducklake.open_lake(place_of(project), write=write, patience_s=patience_s)


def is_there(project: Project) -> bool:
    """Whether the target's warehouse was ever made."""
    return ducklake.is_there(place_of(project))


def place_of(project: Project) -> Path:
    """The folder of the warehouse, or the one in which it is worked for. Errors: CallError."""
    return ducklake.folder(project.target.warehouse, project.root)
