from pathlib import Path

import pytest

from runners.main import call


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project that has run once."""
    assert call(["--quiet", "init", str(tmp_path / "shop")]) == 0
    assert call(["--quiet", "--project-dir", str(tmp_path / "shop"), "run", "--as-of", "2026-03-01"]) == 0
    capsys.readouterr()
    return tmp_path / "shop"


def test_published_runs_are_listed_and_nothing_else_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--project-dir", str(project), "runs"]) == 0
    said = capsys.readouterr()
    assert said.out.count("published") == 1
    assert said.err == ""


def test_what_ended_the_last_run_is_told_until_one_ends_well(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--quiet", "--project-dir", str(project), "run", "--as-of", "2026-02-01"]) == 2
    capsys.readouterr()
    assert call(["--project-dir", str(project), "runs"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("note: the last run published nothing: SEG-0904 T = 2026-01-31T23")
    assert said.out.count("published") == 1
    assert call(["--quiet", "--project-dir", str(project), "run", "--as-of", "2026-03-01"]) == 0
    capsys.readouterr()
    assert call(["--project-dir", str(project), "runs"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"error": null}'])
def test_results_that_are_none_keep_no_run_from_being_listed(
    project: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "target/run_results.json").write_text(content)
    assert call(["--project-dir", str(project), "runs"]) == 0
    assert capsys.readouterr().err == ""
