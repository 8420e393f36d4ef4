"""One process writes to a warehouse; what others hand to it is put there, refused with a word of why, or given up."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runners.runs.run_plan import SegmentVersion
from runners.streams.handing import hand_in, new_order, take_in
from runners.warehouses.backfills import DONE, Backfill, Interval, Order, backfills, definitions_of, intervals_of
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import HANDED, Lake
from runners.warehouses.tables import BACKFILL_PIECES
from schemas.errors import JobFailed

ONE = Backfill("b", "r", 1, 0, 100, 200, 200, definitions_of({"s": SegmentVersion(2, "m")}, {}), "run")
ORDER = Order(ONE, (Interval("b", 1, 0, 100, DONE, 1, 0, 7, None, "run"),))

LEFT = """
import pathlib, sys
from runners.streams.handing import new_order
for _ in range(3):
    print(new_order(pathlib.Path(sys.argv[1])))
"""


def ordered(root: Path, who: str = "ann", begin: int = 10, end: int = 20) -> Path:
    """An order that brings one membership."""
    folder = new_order(root)
    row = {"segment": "s", "version": 2, "subject": who, "valid_from": begin, "valid_to": end, "purpose": "p", "run_id": "run"}
    plain = pa.schema([(one.name, pa.int64() if pa.types.is_timestamp(one.type) else one.type) for one in BACKFILL_PIECES.schema])
    (folder / "pieces").mkdir()
    pq.write_table(pa.Table.from_pylist([row], plain).cast(BACKFILL_PIECES.schema), folder / "pieces" / "0.parquet")
    return folder


def hand(folder: Path, order: Order, waiting: Callable[[], None]) -> None:
    hand_in(folder, order, partial(open_lake, folder.parent.parent, write=True), waiting)


def pieces(lake: Lake) -> list[tuple[str, int, int]]:
    return lake.rows("SELECT subject, epoch_us(valid_from), epoch_us(valid_to) FROM backfill_pieces ORDER BY ALL")


def handed(root: Path) -> list[str]:
    return sorted(path.suffix for path in (root / HANDED).glob("*") if path.is_dir())


def taken_by(lake: Lake, hand: Callable[[Callable[[], None]], None]) -> int:
    """How many orders the holder of the lock has put there while another thread handed them in."""
    count, waits = 0, threading.Event()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(hand, waits.set)
        while not done.done():
            if waits.wait(0.05):
                count += take_in(lake)
        done.result()
    return count


def test_who_holds_the_warehouse_puts_there_what_another_hands_in(lake: Lake) -> None:
    folder = ordered(lake.root)
    assert taken_by(lake, lambda waiting: hand(folder, ORDER, waiting)) == 1
    assert pieces(lake) == [("ann", 10, 20)]
    assert (backfills(lake), intervals_of(lake, "b")) == ([ONE], [*ORDER.intervals])
    assert handed(lake.root) == []


def test_where_nobody_writes_who_hands_in_does(lake: Lake) -> None:
    lake.close()
    hand(ordered(lake.root), ORDER, lambda: None)
    with open_lake(lake.root) as read:
        assert pieces(read) == [("ann", 10, 20)]


def test_twice_is_as_good_as_once(lake: Lake) -> None:
    lake.close()
    for _ in range(2):
        hand(ordered(lake.root), ORDER, lambda: None)
    with open_lake(lake.root) as read:
        assert pieces(read) == [("ann", 10, 20)] and len(intervals_of(read, "b")) == 1


def test_what_reaches_beyond_an_interval_stays_beyond_it(lake: Lake) -> None:
    lake.close()
    around = Order(ONE, (Interval("b", 1, 0, 100, DONE),))
    hand(ordered(lake.root, "ann", 0, 100), around, lambda: None)
    within = Order(ONE, (Interval("b", 2, 40, 60, DONE),))
    hand(ordered(lake.root, "ann", 45, 50), within, lambda: None)
    with open_lake(lake.root) as read:
        assert pieces(read) == [("ann", 0, 40), ("ann", 45, 50), ("ann", 60, 100)]


def test_an_order_that_can_not_be_carried_out_is_refused_and_disturbs_nobody(lake: Lake) -> None:
    folder = new_order(lake.root)
    (folder / "pieces").mkdir()
    (folder / "pieces" / "0.parquet").write_bytes(b"no parquet")

    def refused(waiting: Callable[[], None]) -> None:
        with pytest.raises(JobFailed, match="SEG-0623"):
            hand(folder, ORDER, waiting)

    assert taken_by(lake, refused) == 0
    assert (backfills(lake), pieces(lake), handed(lake.root)) == ([], [], [])
    assert taken_by(lake, lambda waiting: hand(ordered(lake.root), ORDER, waiting)) == 1


def test_who_does_not_wait_any_longer_takes_the_order_back(lake: Lake) -> None:
    def enough() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hand(ordered(lake.root), ORDER, enough)
    assert (take_in(lake), handed(lake.root), pieces(lake)) == (0, [], [])


def test_an_order_that_somebody_takes_away_is_not_taken_for_done(lake: Lake) -> None:
    folder = ordered(lake.root)
    with pytest.raises(JobFailed, match="SEG-0623"):
        hand(folder, ORDER, lambda: shutil.rmtree(folder.with_suffix(".ready")))
    assert (pieces(lake), handed(lake.root)) == ([], [])


def test_what_a_writer_had_begun_with_when_it_died_the_next_one_carries_out(lake: Lake) -> None:
    folder = ordered(lake.root)
    (folder / "order.json").write_text(ORDER.to_text())
    folder.rename(folder.with_suffix(".taken"))
    assert (take_in(lake), pieces(lake), handed(lake.root)) == (1, [("ann", 10, 20)], [".done"])


def test_what_a_process_that_died_has_left_goes(lake: Lake) -> None:
    dead = subprocess.run([sys.executable, "-c", LEFT, str(lake.root)], capture_output=True, text=True, check=True)
    for folder, suffix in zip(map(Path, dead.stdout.split()), (".part", ".ready", ".taken"), strict=True):
        (folder / "order.json").write_text(ORDER.to_text())
        folder.rename(folder.with_suffix(suffix))
    assert (take_in(lake), handed(lake.root), pieces(lake)) == (0, [], [])
