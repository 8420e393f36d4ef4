"""A reader reads into the cut that is open, and closes it when the launcher's order says so."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP
from hypothesis import given
from hypothesis import strategies as st

from schemas.cut import ALL, Closing, Failure, Heard, Order, Share
from schemas.errors import SourceChanged
from schemas.record import Position, RawChunk
from transforms.algebra.order import FOREVER
from transforms.cut_windows import time_of
from transforms.follow import BEGUN, FAILED, LOST, Follow, Following, Positions, Reader
from transforms.known import is_closing
from transforms.packed import unpacked

CLOSING = Closing(0, None, FOREVER, FOREVER)
BEGIN: Positions = {}


def chunk(number: int) -> RawChunk:
    return RawChunk("web", "a", "ndjson", number, pa.array([b"{}\n"], pa.binary()), after=Position(records=number))


class Told:
    """Reads what it is given. None stands for a moment in which nothing is there, an error for one that stops it."""

    def __init__(self, given: Sequence[RawChunk | SourceChanged | None], positions: Positions) -> None:
        self.given, self.positions, self.is_closed = list(given), positions, False

    def poll(self) -> RawChunk | None:
        told = self.given.pop(0) if self.given else None
        if isinstance(told, SourceChanged):
            raise told
        return told

    def heard(self) -> Heard:
        return Heard(7, (("web", "a"),))

    def close(self) -> None:
        self.is_closed = True


class Read:
    """A reader over what is given, and the orders for it."""

    def __init__(self, folder: Path, *told: RawChunk | SourceChanged | None, share: Share = ALL) -> None:
        self.folder, self.number = folder, 0
        self.followers: list[Told] = []

        def opened(positions: Positions, share: Share) -> Told:
            self.followers.append(Told(told, positions))
            return self.followers[-1]

        self.reader = Reader(Following(folder / "order.json", opened), share)

    def order(self, **more: object) -> None:
        """The next cut is open."""
        self.number += 1
        fresh = self.folder / "order.new"
        fresh.write_text(Order(self.number, **more).to_text())  # type: ignore[arg-type]
        fresh.replace(self.folder / "order.json")

    def all(self) -> list[object]:
        """All that the reader tells now: the numbers of chunks, and closings, each with its cut."""
        told = list[object]()
        while self.reader.advance():
            current, at = self.reader.get_current(), self.reader.get_current_timestamp()
            cut = next(number for number in range(self.number + 1) if time_of(number) == at)
            told.append((cut, "closed" if is_closing(current) else unpacked(current).first))
        return told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_what_is_read_belongs_to_the_cut_that_is_open(folder: Path) -> None:
    read = Read(folder, chunk(1), chunk(2), None, chunk(3))
    read.order(positions=BEGIN)
    assert read.all() == [(1, 1), (1, 2)]
    assert read.all() == [(1, 3)]


def test_a_cut_is_closed_before_anything_is_read_into_the_next(folder: Path) -> None:
    read = Read(folder, chunk(1), None, chunk(2), chunk(3))
    read.order(positions=BEGIN)
    read.all()
    read.order(closing=CLOSING)
    assert read.all() == [(1, "closed"), (2, 2), (2, 3)]
    read.order(closing=CLOSING)
    assert read.all() == [(2, "closed")]


def test_a_closing_tells_how_the_cut_is_computed_and_what_the_reader_hears(folder: Path) -> None:
    read = Read(folder)
    read.order(positions=BEGIN)
    read.all()
    read.order(closing=CLOSING)
    assert read.reader.advance()
    told = read.reader.get_current()
    assert Closing.from_json(json.loads(told["closing"][0].as_py())) == CLOSING
    assert Heard.from_json(json.loads(told["heard"][0].as_py())) == Heard(7, (("web", "a"),))


def test_a_cut_that_is_given_up_is_not_closed_and_its_reader_begins_where_it_is_told(folder: Path) -> None:
    read = Read(folder, chunk(1))
    read.order(positions=BEGIN)
    assert read.all() == [(1, 1)]
    read.order(positions={"web": {"a": {"records": 9}}})
    assert read.all() == [(2, 1)]
    first, second = read.followers
    assert (first.is_closed, second.positions) == (True, {"web": {"a": {"records": 9}}})


def test_a_cut_without_a_closing_says_nothing_and_the_reader_goes_on(folder: Path) -> None:
    read = Read(folder, chunk(1), None, chunk(2))
    read.order(positions=BEGIN)
    read.all()
    read.order()
    assert read.all() == []
    assert read.all() == [(2, 2)]


def test_after_the_last_order_nothing_is_read_and_no_more_comes(folder: Path) -> None:
    read = Read(folder, chunk(1), None, chunk(2))
    read.order(positions=BEGIN)
    read.all()
    read.order(closing=CLOSING, is_last=True)
    assert read.all() == [(1, "closed")]
    assert read.all() == []
    assert read.reader.get_watermark() == MAX_TIMESTAMP


def test_the_watermark_passes_a_cut_when_it_is_closed_and_not_before(folder: Path) -> None:
    read = Read(folder, chunk(1))
    read.order(positions=BEGIN)
    assert read.reader.get_watermark() == MIN_TIMESTAMP
    read.reader.advance()
    assert read.reader.get_watermark() == time_of(1)
    read.order(closing=CLOSING)
    assert read.reader.get_watermark() == time_of(1)
    read.reader.advance()
    assert read.reader.get_watermark() == time_of(2)


def test_a_reader_that_knows_no_positions_says_so_and_reads_nothing(folder: Path) -> None:
    read = Read(folder, chunk(1))
    read.order(closing=CLOSING)
    assert read.all() == []
    assert (folder / LOST).exists()
    read.order(positions=BEGIN)
    assert read.all() == [(2, 1)]


def test_a_reader_that_begins_where_it_is_told_says_so(folder: Path) -> None:
    read = Read(folder)
    read.order()
    read.all()
    assert not (folder / f"{BEGUN}0").exists()
    read.order(positions=BEGIN)
    assert not (folder / f"{BEGUN}0").exists()
    read.all()
    assert (folder / f"{BEGUN}0").exists()


def test_between_two_bundles_a_reader_is_kept_and_at_the_end_of_all_it_lets_go(folder: Path) -> None:
    read = Read(folder)
    read.order(positions=BEGIN)
    read.all()
    read.reader.close()
    assert not read.followers[0].is_closed
    read.order(closing=CLOSING, is_last=True)
    read.all()
    read.reader.close()
    assert read.followers[0].is_closed


def test_why_a_source_can_not_be_read_any_more_is_told_beside_the_order(folder: Path) -> None:
    read = Read(folder, chunk(1), SourceChanged("SEG-0700", "`a` is not what it was", "restore it"), chunk(2))
    read.order(positions=BEGIN)
    assert read.all() == [(1, 1)]
    told = Failure.from_text((folder / FAILED).read_text()).error
    assert (type(told), told.code, told.message, told.hint) == (
        SourceChanged, "SEG-0700", "`a` is not what it was", "restore it",
    )


def test_a_reader_that_has_failed_reads_no_more_and_closes_no_cut(folder: Path) -> None:
    read = Read(folder, SourceChanged("SEG-0700", "`a` is not what it was"), chunk(2))
    read.order(positions=BEGIN)
    assert read.all() == []
    read.order(closing=CLOSING)
    assert read.all() == []
    assert read.reader.get_watermark() == time_of(1)


def test_where_the_orders_were_taken_away_nothing_is_read_and_no_more_comes(folder: Path) -> None:
    read = Read(folder, chunk(1), None, chunk(2))
    read.order(positions=BEGIN)
    assert read.all() == [(1, 1)]
    (folder / "order.json").unlink()
    assert read.all() == []
    assert read.reader.get_watermark() == MAX_TIMESTAMP
    read.reader.close()
    assert read.followers[0].is_closed


def test_a_source_is_split_into_as_many_shares_as_the_launcher_waits_for(folder: Path) -> None:
    read = Read(folder)
    readers = Follow(replace(read.reader.following, readers=3)).source.split(20)
    assert [one.create_reader(None, None).share for one in readers] == [Share(number, 3) for number in range(3)]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=30), st.integers(1, 8))
def test_every_partition_is_of_exactly_one_share(partitions: list[tuple[str, str]], readers: int) -> None:
    shares = [Share(number, readers) for number in range(readers)]
    assert all(sum(share.has(one) for share in shares) == 1 for one in partitions)


def test_each_reader_says_by_its_number_that_it_has_begun(folder: Path) -> None:
    first, second = (Read(folder, share=Share(number, 2)) for number in range(2))
    first.order(positions=BEGIN)
    second.all()
    assert [(folder / f"{BEGUN}{number}").exists() for number in range(2)] == [False, True]
    first.all()
    assert [(folder / f"{BEGUN}{number}").exists() for number in range(2)] == [True, True]
