"""Open a BigQuery dataset as a warehouse."""

from pathlib import Path

import duckdb

from runners.disk import disk_told
from runners.warehouses.bigquery.clients import AGAIN, TIMEOUT_S, open_clients, told
from runners.warehouses.bigquery.lake import BigQuery
from runners.warehouses.lake import PATIENCE_S, spill_lease
from runners.warehouses.leasing import Lease
from runners.warehouses.locking import locked
from runners.warehouses.stored_states import states_at
from schemas.errors import CallError


def open_bigquery(
    address: str, root: Path, states: str, *, location: str = "", write: bool = False, patience_s: float = PATIENCE_S
) -> BigQuery:
    """Open the dataset `PROJECT.DATASET`; a writer makes it if need be. `root` is a folder of this machine to work in,
    `states` one, or an address such as gs://BUCKET, that all machines see.

    Errors: TryAgain (75) where a writer of this machine has it, or BigQuery is busy; JobFailed (1) where it refuses this user;
    CallError (2) where a reader finds no warehouse.
    """
    project, _, dataset = address.rpartition(".")
    with disk_told():
        root.mkdir(parents=True, exist_ok=True)
        lock = locked(root) if write else None
    spill = spill_lease(root)
    con, kept = _engine(spill), states_at(f"{states}/{address}")
    try:
        clients = open_clients(project, dataset)
        lake = BigQuery(root, con, kept, patience_s, clients=clients, location=location, lock=lock, spill=spill)
        if write or lake.there:
            return lake
        raise CallError("SEG-0601", f"there is no warehouse in BigQuery's `{address}`", "`segue run` makes it")
    except BaseException:
        con.close()
        for one in (spill, lock):
            if one is not None:
                one.release()
        raise


def is_there(address: str) -> bool:
    """Whether the dataset has any table of ours. Errors: as of opening it."""
    project, _, dataset = address.rpartition(".")
    clients = open_clients(project, dataset)
    try:
        with told(address):
            listed = clients.rest.list_tables(address, max_results=1, retry=AGAIN, timeout=TIMEOUT_S)
            return any(True for _ in listed)
    except CallError:
        return False
    finally:
        clients.close()


def _engine(spill: Lease | None) -> duckdb.DuckDBPyConnection:
    """An engine that holds nothing itself."""
    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": "" if spill is None else str(spill.folder),
        }
    )
    con.execute("ATTACH ':memory:' AS lake; USE lake; SET TimeZone = 'UTC'")
    return con
