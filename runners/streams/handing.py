"""Hand an order to whoever holds the warehouse: one process writes, also while others compute.

An order is a folder `<holder>-<token>` below `handed/`. It ends in `.part` while it is filled, then it is renamed to `.ready`;
the writer renames it to `.taken`, puts it into the warehouse, and renames it to `.done`, or to `.refused` with a word of why.
People are in it: what a process that died has left goes.
"""

import json
import secrets
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import duckdb

from runners.warehouses.backfills import Order, put
from runners.warehouses.lake import HANDED, SPILL, Lake
from runners.warehouses.leasing import Lease, lease, sweep_leases
from runners.warehouses.preparing import prepare
from schemas.errors import JobFailed, SegueError, TryAgain
from transforms.faults import reach

_PART, _READY, _TAKEN, _DONE, _REFUSED, _GONE = ".part", ".ready", ".taken", ".done", ".refused", ".gone"
_ORDER, _ERROR = "order.json", "error.json"
_LOOK_S = 0.1


def new_order(root: Path) -> Path:
    """An empty folder in which an order is prepared, for the warehouse in `root`."""
    own = _own(root / HANDED).folder
    folder = own.with_name(f"{own.name}-{secrets.token_hex(8)}{_PART}")
    folder.mkdir(parents=True)
    return folder


@cache
def _own(parent: Path) -> Lease:
    """What this process hands in is called by, until it ends."""
    return lease(parent)


def hand_in(folder: Path, order: Order, alone: Callable[[], Lake], waiting: Callable[[], None]) -> None:
    """Wait until the order is in the warehouse: by the process that writes there or, where none does, by this one.

    `alone` opens the warehouse for writing. `waiting` is called again and again; if it raises, the order is given up, unless it
    is just being carried out.

    Errors: what the writer says of why it could not; JobFailed where it is gone.
    """
    (folder / _ORDER).write_text(order.to_text(), encoding="utf-8")
    ready = folder.with_suffix(_READY)
    try:
        folder.rename(ready)
        reach("order_handed")
        while _is_open(ready):
            _write(alone)
            waiting()
            time.sleep(_LOOK_S if _is_open(ready) else 0)
        _see_that_it_is_done(ready)
    finally:
        for one in (ready, ready.with_suffix(_DONE), ready.with_suffix(_REFUSED)):
            _take_away(one)


def _is_open(ready: Path) -> bool:
    return ready.exists() or ready.with_suffix(_TAKEN).exists()


def _write(alone: Callable[[], Lake]) -> None:
    """Carry out what is handed in, if nobody else writes."""
    try:
        with alone() as lake:
            prepare(lake)
            take_in(lake)
    except TryAgain as busy:
        if busy.code != "SEG-0602":
            raise


def _see_that_it_is_done(ready: Path) -> None:
    refused = ready.with_suffix(_REFUSED)
    if refused.exists():
        said = json.loads((refused / _ERROR).read_text(encoding="utf-8"))
        raise JobFailed(said["code"], said["message"], said["hint"])
    if not ready.with_suffix(_DONE).exists():
        message = "what was handed to the process that writes is gone, and was not put into the warehouse"
        raise JobFailed("SEG-0623", message, "do both run on one machine, and see each other's processes?")


def _take_away(folder: Path) -> None:
    """Remove it, unless it is not there or has just become something else."""
    gone = folder.with_suffix(_GONE)
    try:
        folder.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)


def take_in(lake: Lake) -> int:
    """Carry out what is handed in. Only the holder of the lock may. Gives how many orders it has put into the warehouse.

    What is wrong with an order is told to who has handed it in, and concerns nobody else.
    """
    for left in (HANDED, SPILL):
        sweep_leases(lake.root / left)
    handed = sorted((lake.root / HANDED).glob("*.*"))
    return sum(_carry_out(lake, folder) for folder in handed if folder.suffix in (_READY, _TAKEN))


def _carry_out(lake: Lake, folder: Path) -> bool:
    taken = folder.with_suffix(_TAKEN)
    try:
        folder.rename(taken)  # a `.taken` one was left by a writer that died on the way
    except FileNotFoundError:
        return False  # it was given up
    try:
        reach("order_taken")
        put(lake, Order.from_text((taken / _ORDER).read_text(encoding="utf-8")), taken)
        reach("order_put")
    except (SegueError, duckdb.Error, KeyError, TypeError, ValueError) as error:
        _refuse(taken, error)
        return False
    except BaseException:  # stopped: whoever has handed it in may give it up
        taken.rename(taken.with_suffix(_READY))
        raise
    taken.rename(taken.with_suffix(_DONE))
    return True


def _refuse(taken: Path, error: Exception) -> None:
    if not isinstance(error, SegueError):
        what = f"the process that writes can not carry out an order: {type(error).__name__}"
        error = JobFailed("SEG-0623", what, "is it of the same version?")
    said = {"code": error.code, "message": error.message, "hint": error.hint}
    (taken / _ERROR).write_text(json.dumps(said), encoding="utf-8")
    taken.rename(taken.with_suffix(_REFUSED))
