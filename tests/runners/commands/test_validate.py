"""What `segue validate` says of a project that is right."""

import json
from pathlib import Path

import pytest

from runners.main import call


@pytest.fixture
def starter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert call(["--quiet", "init", str(tmp_path / "shop")]) == 0
    capsys.readouterr()
    return tmp_path / "shop"


def test_the_purposes_and_the_state_of_a_subject_are_told(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--project-dir", str(starter), "--format", "json", "validate"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["purposes"] == ["analytics", "newsletter"]
    assert call(["--project-dir", str(starter), "validate"]) == 0
    told = capsys.readouterr().out
    assert "purposes touched: analytics, newsletter" in told
    assert f"{said['state_bytes_per_event']} bytes an event, {said['state_bytes_per_subject']} more a subject" in told


def test_another_segment_costs_each_subject_more(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    costs = []
    for more in (None, "segment: repeat\npurpose: analytics\nwhen: {in_segment: good_customers}\n"):
        if more:
            (starter / "segments/repeat.yaml").write_text(more)
        assert call(["--project-dir", str(starter), "--format", "json", "validate"]) == 0
        costs.append(json.loads(capsys.readouterr().out)["state_bytes_per_subject"])
    assert costs[0] < costs[1]


def test_nothing_is_written_and_no_data_is_read(starter: Path) -> None:
    before = sorted(starter.rglob("*"))
    (starter / "data/events.ndjson").write_text("no record")
    assert call(["--project-dir", str(starter), "validate"]) == 0
    assert sorted(starter.rglob("*")) == before
