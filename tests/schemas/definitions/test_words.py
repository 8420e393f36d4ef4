from pathlib import Path

import pytest

from schemas.definitions.words import feature_in_words
from tests.support.tiny_language import FILES, read

MAY = "null where ads may not use them"


def words(tmp_path: Path, window: str, aggregate: str = "op: sum, of: amount", source: str = "bought") -> str:
    text = f"features: buying\npurpose: ads\nsource: {source}\naggregates: [{{name: one, {aggregate}, windows: [{window}]}}]\n"
    group = read(tmp_path, features_buying=text).features["buying"]
    return feature_in_words(group, group.columns[0])


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("30d", "the last 30 days"),
        ("24h", "the last 1 day"),
        ("90m", "the last 90 minutes"),
        ("lifetime", "ever"),
        ("{between: [90d, 30d], as: a}", "from 90 days to 30 days ago"),
        ("{calendar: {last: 7, unit: day}, as: a}", "the last 7 calendar days in Europe/Berlin, the current one among them"),
        ("{calendar: {last: 1, unit: month, tz: profile, include_current: false}, as: a}",
         "the last 1 calendar month in the subject's own zone, the current one left out"),
        ("{from: '2026-01-01T00:00:00Z', as: a}", "from 2026-01-01T00:00:00Z"),
        ("{session: {gap: 30m}, as: a}", "the session, which ends after a gap of 30 minutes"),
        ("{since: subscribed, as: a}", "since the last subscribed"),
    ],
)  # fmt: skip
def test_a_window_in_words(tmp_path: Path, window: str, said: str) -> None:
    assert words(tmp_path, window) == f"sum of amount over bought, {said}; 0 where there are none, {MAY}"


def test_what_is_null_where_there_is_nothing(tmp_path: Path) -> None:
    assert words(tmp_path, "7d", "op: max, of: amount").endswith(f"; null where there are none, {MAY}")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{event: [seen, bought]}", "bought or seen"),
        ("any", "events of any name"),
        ("{event: bought, where: 'amount >  0'}", "bought where amount > 0"),
    ],
)
def test_events_in_words(tmp_path: Path, source: str, said: str) -> None:
    assert words(tmp_path, "7d", "op: count", source).startswith(f"number of events over {said}, the last 7 days;")


def test_every_column_of_a_project_is_told(tmp_path: Path) -> None:
    group = read(tmp_path, features_buying=FILES["features/buying.yaml"]).features["buying"]
    told = [feature_in_words(group, column) for column in group.columns]
    assert len(set(told)) == len(told) == 4
