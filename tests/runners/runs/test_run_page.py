"""A run as people read it: its page, which opens from disk, and what `segue runs RUN` says."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from runners.main import call
from runners.runs.run_page import page

PEOPLE = ("ada", "ben", "eve", "kim", "leo")
ASKS = {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
"""What would run something, or fetch it."""


class Seen(HTMLParser):
    """The tags, the attributes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.words = list[str](), list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose audit failed."""
    project = tmp_path_factory.mktemp("failed") / "shop"
    assert call(["--quiet", "init", str(project)]) == 0
    definition = project / "segments/left_basket.yaml"
    definition.write_text(definition.read_text() + 'expectations: {size: ">= 100"}\n')
    definition = project / "features/orders.yaml"
    definition.write_text(definition.read_text().replace("op: sum,", "op: sum, expect: {between: [0, 1], not_null: true},"))
    assert call(["--quiet", "--project-dir", str(project), "run"]) == 1
    return project


def said_of(project: Path) -> dict[str, Any]:
    (path,) = (project / "target/runs").glob("*.json")
    return dict(json.loads(path.read_text()))


def page_of(project: Path) -> str:
    (path,) = (project / "target/runs").glob("*.html")
    return path.read_text()


def named(project: Path) -> Iterator[str]:
    return (one["check"] for one in said_of(project)["results"]["checks"])


def test_a_page_has_every_check_with_its_figure(failed: Path) -> None:
    words = Seen(page_of(failed)).words
    assert {*named(failed), ">= 100"} <= {*words}
    assert any("feature_rows/0002.parquet row 0" in word for word in words)
    assert sum(word.startswith("SELECT") for word in words) > 40


def test_what_the_project_expects_is_looked_at_beside_the_rules_of_every_run(failed: Path) -> None:
    checks = {one["check"]: one for one in said_of(failed)["results"]["checks"]}
    assert checks["events: unique key"]["status"] == "success"
    assert checks["feature `orders__spend_30d`: not null"]["status"] == "success"
    assert checks["feature `orders__spend_30d`: between 0.0 and 1.0"]["rows"] == 2
    assert checks["segment `left_basket`: size"]["figure"] == "1"


def test_a_page_runs_nothing_and_fetches_nothing(failed: Path) -> None:
    text = page_of(failed)
    seen = Seen(text)
    assert not ASKS & {*seen.tags} and not {"src", "href", "srcset"} & {*seen.attributes}
    assert "url(" not in text and "://" not in text and "@import" not in text
    assert "default-src 'none'" in text


def test_neither_the_page_nor_what_it_is_made_of_names_anybody(failed: Path) -> None:
    """Of the definitions, which are kept word by word, the stories name whom they like."""
    said = {**said_of(failed), "definitions": {}}
    for text in (page_of(failed), json.dumps(said)):
        assert not [who for who in PEOPLE if f'"{who}"' in text or f">{who}<" in text or f"'{who}'" in text]


def test_what_a_page_tells_is_text_and_never_markup(failed: Path) -> None:
    said = said_of(failed)
    said["project"] = said["pinned"]["inputs"][0]["file"] = said["results"]["error"]["message"] = "<script>x</script>&"
    said["results"]["checks"][0] |= {"check": "</td><b>", "sql": "SELECT '<'", "places": ["<i>"]}
    seen = Seen(page(said))
    assert not {"script", "b", "i"} & {*seen.tags}
    assert {"<script>x</script>&", "</td><b>", "SELECT '<'"} <= {*seen.words}


def test_a_run_that_has_not_ended_has_a_page_that_says_so(failed: Path) -> None:
    words = Seen(page({**said_of(failed), "results": None, "run_id": None})).words
    assert "not ended" in words and "Stages" not in words


def test_a_run_is_told_as_text(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = said_of(failed)["id"]
    assert call(["--project-dir", str(failed), "runs", run]) == 0
    said = capsys.readouterr().out
    assert f"Run {run}: failed" in said
    assert "  FAIL segment `left_basket`: size: 1, expected >= 100\n" in said
    assert "kept, each on its page\n" in said and "unique key" not in said


def test_a_run_is_told_as_json(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = said_of(failed)["id"]
    assert call(["--project-dir", str(failed), "--format", "json", "runs", run]) == 0
    assert json.loads(capsys.readouterr().out) == said_of(failed)


def test_a_run_that_is_not_known_is_not_told(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--project-dir", str(failed), "runs", "nothing"]) == 2
    assert "SEG-0918" in capsys.readouterr().err
