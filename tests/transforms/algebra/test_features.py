"""Feature rows, where there is anything to be written."""

from pathlib import Path

from tests.support.histories import Shard
from tests.support.oracle import Event, World

PROJECT = {
    "timezone": "UTC",
    "purposes": [{"id": "p", "basis": "legitimate_interest"}],
    "sources": {"web": {"kind": "events", "properties": {}}},
    "segments": [{"segment": "s", "purpose": "p", "when": {"did": {"event": "seen"}}}],
}


def test_a_project_without_features_has_segments_and_no_feature_rows(tmp_path: Path) -> None:
    events = tuple(Event("web", who, "e", "seen", 10, 10) for who in ("one", "two", "three"))
    shard = Shard.of(tmp_path, World(PROJECT, events)).step(events, 20)
    assert shard.believed() == {("s", who): [(10, None)] for who in ("one", "two", "three")}
    assert len(shard.published[0]["feature_rows"]) == 0
