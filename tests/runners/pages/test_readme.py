"""The README's commands, one after another, by somebody who has just installed it."""

import re
import shlex
from pathlib import Path

import pytest

from runners.main import call

README = Path(__file__).parents[3] / "README.md"
LINES = re.findall(r"^    ((?:segue|cd) .*)$", README.read_text(), re.MULTILINE)


def test_every_command_of_the_readme_does_what_it_is_shown_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clone").mkdir()
    monkeypatch.chdir(tmp_path / "clone")
    for line in LINES:
        name, *arguments = shlex.split(line, comments=True)
        if name == "cd":
            monkeypatch.chdir(arguments[0])
        else:
            assert call(arguments) == 0, line
    told = capsys.readouterr().out
    assert "ada is a member of good_customers" in told
    assert "kim is a member of left_basket" in told, "by what was known before her order"


def test_every_table_of_the_readme_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", README.read_text(), re.MULTILINE)))
    assert len(tables) > 5
    assert call(["--quiet", "init", str(tmp_path)]) == call(["--quiet", "--project-dir", str(tmp_path), "run"]) == 0
    for table in tables:
        assert call(["--project-dir", str(tmp_path), "show", table]) == 0, table
