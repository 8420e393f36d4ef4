"""The rows of a table: some for people, all for programs, and never fewer than none."""

import json
from pathlib import Path

import pytest

from runners.main import call


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter after a run: eight events."""
    root = tmp_path_factory.mktemp("shop")
    assert call(["--quiet", "init", str(root)]) == call(["--quiet", "--project-dir", str(root), "run"]) == 0
    return root


def shown(shop: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[list[str], str]:
    """The lines of a table and what is noted."""
    capsys.readouterr()
    assert call(["--project-dir", str(shop), "show", "events", *more]) == 0
    told = capsys.readouterr()
    return told.out.splitlines(), told.err


@pytest.mark.parametrize(("limit", "rows"), [("0", 0), ("3", 3), ("100", 8)])
def test_so_many_rows_are_shown_as_are_asked_for(
    shop: Path, capsys: pytest.CaptureFixture[str], limit: str, rows: int
) -> None:
    lines, noted = shown(shop, capsys, "--limit", limit)
    assert (len(lines), noted) == (2 + rows, "")
    assert len(json.loads("".join(shown(shop, capsys, "--limit", limit, "--format", "json")[0]))) == rows


@pytest.mark.parametrize("limit", ["-1", "few"])
def test_fewer_rows_than_none_are_refused(shop: Path, capsys: pytest.CaptureFixture[str], limit: str) -> None:
    assert call(["--project-dir", str(shop), "show", "events", "--limit", limit]) == 2
    assert "--limit" in capsys.readouterr().err
