"""Lateness and the future are judged by the event's own two instants."""

import pyarrow as pa
import pytest

from schemas import rejection
from tests.support.raw_files import source_of
from transforms.validate import SetAside, set_aside

MINUTE = 60_000_000


def judged(occurred: list[int], received: list[int], **changes: object) -> SetAside:
    instant = pa.timestamp("us", "UTC")
    columns = {
        "occurred_at": pa.array([one * MINUTE for one in occurred], instant),
        "received_at": pa.array([one * MINUTE for one in received], instant),
    }
    return set_aside(pa.RecordBatch.from_pydict(columns), source_of(**changes))


def test_by_default_no_event_is_too_late_and_the_future_begins_behind_five_minutes() -> None:
    found = judged([0, 5, 6], [10**6, 0, 0])
    assert (found.kept.num_rows, found.rows.tolist(), found.future) == (2, [2], 1)
    assert rejection.REASONS[found.code[0]] == "future"


def test_at_its_limit_an_event_is_not_late_yet() -> None:
    assert judged([0, 0], [60, 61], allowed_lateness="60m", on_late="quarantine").rows.tolist() == [1]


@pytest.mark.parametrize(
    ("policy", "kept", "counts"), [("correct", 2, (0, 0, 1)), ("quarantine", 1, (1, 0, 0)), ("drop", 1, (0, 1, 0))]
)
def test_late_events_are_used_quarantined_or_dropped(policy: str, kept: int, counts: tuple[int, int, int]) -> None:
    found = judged([0, 0], [0, 61], allowed_lateness="60m", on_late=policy)
    assert (found.kept.num_rows, (found.late, found.dropped, found.late_used)) == (kept, counts)
    assert len(found.rows) == counts[0]
