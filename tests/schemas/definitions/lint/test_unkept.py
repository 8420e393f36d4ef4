"""What stands in the way of `retention` is told, and nothing where it is carried out."""

from pathlib import Path

import pytest

from tests.support.linted import segment, warned

SEGMENT = segment("did: {event: a, window: 7d}")


def unkept(folder: Path, *purposes: str) -> list[tuple[str, str]]:
    text = "purposes:\n" + "".join(f"  - {{basis: legitimate_interest, {one}}}\n" for one in purposes)
    found = warned(folder, "SEG-0804", purposes=text, segments__some=SEGMENT)
    return [(one.message.split(": ")[1], one.expected) for one in found]


def test_retention_is_carried_out_where_every_purpose_keeps_events_until_late_news_has_come(tmp_path: Path) -> None:
    """35d is what `state_reach` is where it is not declared."""
    assert unkept(tmp_path, "id: ads, max_lookback: 30d, retention: 65d", "id: care, max_lookback: 1d, retention: 36d") == []


@pytest.mark.parametrize(
    ("other", "key", "expected"),
    [
        ("max_lookback: 30d", "retention", "how long its data are kept"),
        ("retention: 35d, max_lookback: 1d", "retention", "more than 35d, the project's `state_reach`"),
        ("retention: 65d", "max_lookback", "at most 30d: its `retention` of 65d less `state_reach` of 35d"),
        ("retention: 65d, max_lookback: 31d", "max_lookback", "at most 30d: its `retention` of 65d less `state_reach` of 35d"),
    ],
)
def test_a_purpose_that_is_in_the_way_is_named_with_what_it_is_to_declare(tmp_path: Path, other: str, key: str, expected: str) -> None:
    found = unkept(tmp_path, "id: ads, max_lookback: 30d, retention: 65d", f"id: care, {other}")
    assert found[0] == (f"nothing is removed before `care` declares `{key}`", f"`{key}`: {expected}")
