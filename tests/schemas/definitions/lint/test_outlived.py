"""A source that allows more lateness than `retention` leaves to correct is told so."""

from pathlib import Path

import pytest

from tests.support.linted import segment, warned

PURPOSES = """
purposes:
  - {id: ads, basis: legitimate_interest, max_lookback: 30d, retention: 65d}
  - {id: care, basis: legitimate_interest, max_lookback: 10d, retention: 50d}
"""
SOURCE = """
source: shop
kind: events
from: {files: "data/*.ndjson"}
fields: {event_id: id, event: name, subject: user, occurred_at: at, received_at: received}
"""


def lateness(folder: Path, allowed: str, purposes: str = PURPOSES) -> list[str]:
    source = f"{SOURCE}allowed_lateness: {allowed}\n"
    found = warned(folder, "SEG-0814", purposes=purposes, segments__some=segment("did: {event: a, window: 7d}"), sources__shop=source)
    return [one.expected for one in found]


@pytest.mark.parametrize(("allowed", "is_told"), [("35d", False), ("36d", True)])
def test_what_may_come_later_than_retention_less_lookback_is_told(tmp_path: Path, allowed: str, is_told: bool) -> None:
    told = ["at most 35d: the longest `retention` less the longest `max_lookback`"]
    assert lateness(tmp_path, allowed) == (told if is_told else [])


def test_where_events_are_kept_for_ever_any_lateness_is_corrected(tmp_path: Path) -> None:
    assert lateness(tmp_path, "400d", PURPOSES.replace(", retention: 50d", "")) == []
