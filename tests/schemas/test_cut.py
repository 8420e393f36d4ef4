"""What is said of a cut is read as it was said, and an error keeps its kind and its words."""

import pytest

from schemas.cut import Closing, Failure, Order
from schemas.errors import AuditFailed, CallError, JobFailed, SegueError, SourceChanged, TryAgain

CLOSING = Closing(
    1, None, 9, 2, fixed_at=3, kept="k", everyone=True, watermarks={"web": {"a": 4}}, day_ends_at=5, states={0: "s", 12: "t"}
)


@pytest.mark.parametrize(
    "order",
    [
        Order(1),
        Order(2, CLOSING, linked="there", is_last=True),
        Order(3, positions={"web": {"a": {"bytes": 7}, "b": {"offset": 1}}}),
    ],
)
def test_an_order_is_read_as_it_was_told(order: Order) -> None:
    assert Order.from_text(order.to_text()) == order


@pytest.mark.parametrize("kind", [CallError, JobFailed, SourceChanged, TryAgain])
def test_an_error_that_is_told_keeps_its_kind_and_its_words(kind: type[SegueError]) -> None:
    again = Failure.from_text(Failure.of(kind("SEG-0700", "a file, as it is", "restore it")).to_text()).error
    assert (type(again), again.code, again.message, again.hint) == (kind, "SEG-0700", "a file, as it is", "restore it")


def test_an_error_of_a_kind_that_no_reader_raises_is_one_of_the_job() -> None:
    again = Failure.of(AuditFailed("SEG-0610", "an audit")).error
    assert (type(again), again.code) == (JobFailed, "SEG-0610")
