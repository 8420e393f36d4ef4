"""What stands in the way of `retention` is told, and nothing where it is carried out."""

from pathlib import Path

import pytest

from tests.support.linted import segment, warned

SEGMENT = segment("did: {event: a, window: 7d}")


def unkept(folder: Path, *purposes: str) -> list[tuple[str, str]]:
    text = "purposes:\n" + "".join(f"  - {{basis: legitimate_interest, {one}}}\n" for one in purposes)
    found = warned(folder, "SEG-0804", purposes=text, segments__some=SEGMENT)
    return [(one.message.split(": ")[1], one.expected) for one in found]


def test_retention_is_carried_out_where_every_purpose_keeps_events_for_as_long_as_they_count(tmp_path: Path) -> None:
    assert unkept(tmp_path, "id: ads, max_lookback: 30d, retention: 30d", "id: care, max_lookback: 1d, retention: 2d") == []


@pytest.mark.parametrize(
    ("other", "key", "expected"),
    [
        ("max_lookback: 30d", "retention", "how long its data are kept"),
        ("retention: 30d", "max_lookback", "at most 30d, its `retention`"),
        ("retention: 30d, max_lookback: 31d", "max_lookback", "at most 30d, its `retention`"),
    ],
)
def test_a_purpose_that_is_in_the_way_is_named_with_what_it_is_to_declare(tmp_path: Path, other: str, key: str, expected: str) -> None:
    found = unkept(tmp_path, "id: ads, max_lookback: 30d, retention: 30d", f"id: care, {other}")
    assert found[0] == (f"nothing is removed before `care` declares `{key}`", f"`{key}`: {expected}")
