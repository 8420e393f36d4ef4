"""The warehouse of a target, whatever holds its tables."""

from pathlib import Path

from runners.warehouses import ducklake
from runners.warehouses.lake import PATIENCE_S, Lake
from schemas.definitions.project import Project
from schemas.errors import JobFailed

_BIGQUERY = "bigquery:"
_WORK = Path("target") / "bigquery"


def open_warehouse(project: Project, *, write: bool = False, patience_s: float = PATIENCE_S) -> Lake:
    """Open the target's warehouse; a writer makes it if need be and holds it alone.

    Errors: TryAgain (75) where another process is writing or it stays busy; CallError (2) where a reader finds none;
    JobFailed (1) where it is damaged, this user may not, or what it needs is not installed.
    """
    if project.target.warehouse.startswith(_BIGQUERY):
        return _open_bigquery(project, write, patience_s)
    return ducklake.open_lake(place_of(project), write=write, patience_s=patience_s)


def is_there(project: Project) -> bool:
    """Whether the target's warehouse was ever made."""
    if project.target.warehouse.startswith(_BIGQUERY):
        return _is_dataset_there(project)
    return ducklake.is_there(place_of(project))


def place_of(project: Project) -> Path:
    """The folder of the warehouse, or the one of this machine in which it is worked for. Errors: CallError."""
    address = project.target.warehouse
    if address.startswith(_BIGQUERY):
        return project.root / _WORK / address.removeprefix(_BIGQUERY)
    return ducklake.folder(address, project.root)


def _open_bigquery(project: Project, write: bool, patience_s: float) -> Lake:
    _see_that_it_is_installed()
    from runners.warehouses.bigquery.opening import open_bigquery

    store, address = project.target.store, project.target.warehouse.removeprefix(_BIGQUERY)
    states = store["state"] if "://" in store["state"] else str(project.root / store["state"])
    where = {"location": store["location"], "write": write, "patience_s": patience_s}
    return open_bigquery(address, place_of(project), states, **where)  # type: ignore[arg-type]


def _is_dataset_there(project: Project) -> bool:
    _see_that_it_is_installed()
    from runners.warehouses.bigquery.opening import is_there

    return is_there(project.target.warehouse.removeprefix(_BIGQUERY))


def _see_that_it_is_installed() -> None:
    try:
        import google.cloud.bigquery
        import google.cloud.bigquery_storage  # noqa: F401
    except ModuleNotFoundError as missing:
        hint = "pip install 'segue[bigquery]'"
        raise JobFailed("SEG-0630", "BigQuery is reached with packages that are not installed", hint) from missing
