"""The launcher opens and closes cuts through one file, and sees what readers say beside it."""

from pathlib import Path

import pytest

from runners.streams.cuts import Cuts
from schemas.cut import ALL, Closing, Failure, Heard, Order, Share
from schemas.errors import SourceChanged
from schemas.record import RawChunk
from transforms.algebra.order import FOREVER
from transforms.follow import FAILED, Following, Positions, Reader
from transforms.stage import Stage

CLOSING = Closing(0, None, FOREVER, FOREVER)


class Silent:
    """Has nothing to tell."""

    def poll(self) -> RawChunk | None:
        return None

    def heard(self) -> Heard:
        return Heard(0)

    def close(self) -> None:
        pass


def opened(positions: Positions, share: Share) -> Silent:
    return Silent()


@pytest.fixture
def cuts(tmp_path: Path) -> Cuts:
    return Cuts(Stage(tmp_path, {}), 1)


def reader_of(cuts: Cuts, share: Share = ALL) -> Reader:
    return Reader(Following(cuts.orders, opened), share)


def test_each_cut_has_a_number_and_a_folder_of_its_own(cuts: Cuts) -> None:
    cuts.begin({"web": {}})
    assert cuts.close(CLOSING, is_last=False) == 1
    assert cuts.close(CLOSING, is_last=True) == 2
    assert all(cuts.folder(number).is_dir() for number in (1, 2, 3))
    assert Order.from_text(cuts.orders.read_text()) == Order(3, CLOSING, is_last=True)


def test_before_a_reader_has_seen_where_to_begin_none_has_begun(cuts: Cuts) -> None:
    cuts.begin({})
    assert not cuts.is_begun
    reader_of(cuts).advance()
    assert (cuts.is_begun, cuts.is_lost) == (True, False)


def test_of_several_readers_all_must_have_begun_and_do_so_anew_where_a_cut_was_given_up(cuts: Cuts) -> None:
    cuts.readers = 2
    cuts.begin({})
    readers = [reader_of(cuts, Share(number, 2)) for number in range(2)]
    readers[1].advance()
    assert not cuts.is_begun
    readers[0].advance()
    assert cuts.is_begun
    cuts.begin({})
    readers[1].advance()
    assert not cuts.is_begun


def test_a_reader_that_takes_the_place_of_another_is_lost_until_it_is_told_where_to_begin(cuts: Cuts) -> None:
    cuts.begin({})
    reader_of(cuts).advance()
    cuts.close(CLOSING, is_last=False)
    other = reader_of(cuts)
    other.advance()
    assert cuts.is_lost
    cuts.begin({})
    assert (cuts.is_lost, cuts.is_begun) == (False, False)
    other.advance()
    assert (cuts.is_lost, cuts.is_begun) == (False, True)


def test_what_keeps_a_reader_from_going_on_is_raised_as_it_was(cuts: Cuts) -> None:
    cuts.begin({})
    cuts.see_that_readers_go_on()
    told = Failure.of(SourceChanged("SEG-0700", "a file changed", "restore it")).to_text()
    cuts.orders.with_name(FAILED).write_text(told)
    with pytest.raises(SourceChanged, match="a file changed"):
        cuts.see_that_readers_go_on()
