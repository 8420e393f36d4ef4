"""Cuts in time: what is read in one is computed when no more of it can come, and never before."""

from pathlib import Path

import pytest

from tests.support.cuts_in_time import Told, closing, probe
from tests.support.merged import instant


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_a_cut_is_computed_when_the_watermark_passes_its_end_and_not_before(told: Told) -> None:
    told.run((1, told.facts(1, "ann")), (1, closing(9)), probe("closed"), 2, probe("passed"))
    assert (told.seen("closed"), told.seen("passed")) == ([], [1])
    assert (told.entered(1), told.moment(1)) == (["ann"], (instant(9), instant(1)))


def test_two_cuts_do_not_mix_though_both_are_under_way(told: Told) -> None:
    told.run((2, told.facts(3, "bob")), (1, told.facts(1, "ann")), (2, closing(19)), (1, closing(9)), 2, probe("first"), 3)
    assert told.seen("first") == [1]
    assert (told.entered(1), told.moment(1)) == (["ann"], (instant(9), instant(1)))
    assert (told.entered(2), told.moment(2)) == (["bob"], (instant(19), instant(3)))


def test_a_cut_without_a_closing_says_nothing_and_leaves_nothing_to_the_next(told: Told) -> None:
    told.run((1, told.facts(1, "ann")), 2, (2, told.facts(3, "bob")), (2, closing(19)), 3, probe("passed"))
    assert told.seen("passed") == [2]
    assert (told.entered(1), told.entered(2), told.moment(2)) == ([], ["bob"], (instant(19), instant(3)))


def test_what_comes_late_of_a_cut_that_is_past_changes_nothing(told: Told) -> None:
    cut = [(1, told.facts(1, "ann")), (1, closing(9)), 2, (1, told.facts(4, "eve")), (1, closing(14))]
    told.run(*cut, (2, told.facts(3, "bob")), (2, closing(19)), 3)
    assert (told.entered(1), told.moment(1)) == (["ann"], (instant(9), instant(1)))
    assert (told.entered(2), told.moment(2)) == (["bob"], (instant(19), instant(3)))


def test_where_the_watermark_passes_several_cuts_at_once_each_is_computed_by_itself(told: Told) -> None:
    cuts = [(number, [*told.facts(number, who), *closing(10 * number)]) for number, who in enumerate(["ann", "bob", "eve"], 1)]
    told.run(*cuts, probe("read"), 4, probe("passed"))
    assert (told.seen("read"), told.seen("passed")) == ([], [1, 2, 3])
    assert [told.entered(number) for number in (1, 2, 3)] == [["ann"], ["bob"], ["eve"]]
    assert [told.moment(number) for number in (1, 2, 3)] == [(instant(10 * n), instant(n)) for n in (1, 2, 3)]


def test_a_cut_in_which_nothing_was_read_is_computed_too(told: Told) -> None:
    told.run((1, closing(9)), 2, probe("passed"))
    assert (told.seen("passed"), told.entered(1), told.moment(1)) == ([1], [], (instant(9), instant(9)))


def test_the_last_cut_is_computed_when_no_more_comes_at_all(told: Told) -> None:
    told.run((1, told.facts(1, "ann")), (1, closing(9)))
    assert (told.entered(1), told.moment(1)) == (["ann"], (instant(9), instant(1)))
