import json
from pathlib import Path

import pytest

from runners.main import call

STORY = """
segment: told
purpose: newsletter
when: {{all: [{{did: {{event: basket_filled, window: 7d}}}}, {{property: {{country: "= 'DE'"}}}}]}}
tests:
  - name: one
    profile: {{country: DE}}
    {consent}
    events: [{{at: 0h, event: basket_filled, amount: 40, received: 2h}}]
    expect: {expect}
"""


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    assert call(["--quiet", "init", str(tmp_path / "new")]) == 0
    return tmp_path / "new"


def _run(starter: Path, expect: str, consent: str = "") -> int:
    (starter / "segments" / "told.yaml").write_text(STORY.format(expect=expect, consent=consent))
    return call(["--project-dir", str(starter), "test", "--select", "told"])


@pytest.mark.parametrize(
    ("expect", "consent"),
    [
        ("[{at: 1h, member: true}, {at: 1h, known: 1h, member: false}, {at: 1h, known: 2h, member: true}]", ""),
        ("[{at: 168h, member: false}, {at: 167h, member: true}, {at: -1h, member: false}]", ""),
        ("[{at: 1h, member: false}]", "consent: []"),
        ("[{at: 3h, member: true}, {at: 4h, member: false}]", "consent: [[-1h, GRANT], [4h, WITHDRAW]]"),
        ("[{at: 3h, member: true}, {at: 4h, member: false}]", "consent: [[-1h, GRANT], [4h, OBJECT, {purpose: '*'}]]"),
    ],
)
def test_a_story_that_is_right(starter: Path, expect: str, consent: str) -> None:
    assert _run(starter, expect, consent) == 0


def test_a_story_that_is_wrong_tells_what_was_found(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(starter, "[{at: 1h, member: true}, {at: 1h, known: 1h, member: true}]") == 1
    told = capsys.readouterr().out
    assert "FAILED told: one" in told
    assert "known 2026-01-05T01:00:00.000000Z: expected a member, found batch no member" in told
    assert "1 stories, 0 ok, 1 failed" in told


LONG = """
segment: told
purpose: newsletter
when: {did: {event: basket_filled, window: 7d}}
tests:
  - name: years
    events:
      - [0d, basket_filled]
      - [1h, basket_filled]
      - [2h, basket_filled]
      - [1000d, basket_filled]
      - {at: 500d, event: basket_filled, received: 1500d}
    expect:
      - {at: 1d, member: true}
      - {at: 8d, member: false}
      - {at: 501d, member: true}
      - {at: 501d, known: 1499d, member: false}
      - {at: 1001d, member: true}
"""


def test_a_story_is_told_whole_however_long_it_is(starter: Path) -> None:
    (starter / "segments" / "told.yaml").write_text(LONG)
    assert call(["--project-dir", str(starter), "test", "--select", "told"]) == 0


def test_an_event_dated_ahead_is_set_aside(starter: Path) -> None:
    path = starter / "segments" / "told.yaml"
    story = STORY.format(expect="[{at: 1d, member: false}]", consent="").replace("received: 2h", "received: -1d")
    path.write_text(story)
    assert call(["--project-dir", str(starter), "test", "--select", "told"]) == 0


def test_the_results_as_json(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert call(["--project-dir", str(starter), "--format", "json", "test"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [one["ok"] for one in results] == [True] * 3
    assert results[0]["answers"][0]["found"] == {"batch": False, "cuts": False, "stream": False, "explain": False}


def test_nothing_selected(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--project-dir", str(starter), "test", "--select", "orders"]) == 3
    assert call(["--project-dir", str(starter), "test", "--select", "orders", "--allow-empty"]) == 0
