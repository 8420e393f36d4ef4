"""What a run says when it is done: to people, and to whatever keeps its output."""

from pathlib import Path

import pytest

from runners.main import call

PEOPLE = ("ada", "ben", "eve", "kim", "leo")


@pytest.fixture
def starter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert call(["init", str(tmp_path / "shop")]) == 0
    capsys.readouterr()
    return tmp_path / "shop"


def run(project: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert call(["--project-dir", str(project), "run", *more]) == 0
    return capsys.readouterr().out


def test_an_example_of_our_own_names_a_member_to_try(
    starter: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.examples.EXAMPLES", starter.parent)
    line = next(line for line in run(starter, capsys).splitlines() if " explain " in line)
    subject, segment = line.split()[-2:]
    assert subject in PEOPLE
    assert call(["--project-dir", str(starter), "explain", subject, segment]) == 0


def test_elsewhere_nobody_is_named(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(starter, capsys).split()
    assert "explain" in said
    assert not set(said) & set(PEOPLE)


def test_records_that_are_set_aside_are_told_by_source_and_reason(
    starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = starter / "sources/shop.yaml"
    definition.write_text(definition.read_text().replace("subject: user", "subject: usr"))
    assert "shop missing_id" in run(starter, capsys)


def test_a_quote_that_is_left_open_in_csv_is_asked_about(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definition = starter / "sources/shop.yaml"
    definition.write_text(definition.read_text().replace("events.ndjson", "events.csv"))
    lines = ["id,name,user,at,received,amount", 'e1,"order,ada,2026-01-10T09:00:00Z,2026-01-10T09:00:00Z,1', ""]
    (starter / "data/events.csv").write_text("\n".join(lines))
    assert call(["--project-dir", str(starter), "run"]) == 0
    assert "or a quote before them is not closed" in " ".join(capsys.readouterr().err.split())
