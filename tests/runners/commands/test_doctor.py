import json
from pathlib import Path

import pytest

from runners.main import call


def test_all_is_well_with_a_new_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(["--quiet", "init", str(tmp_path / "new")])
    capsys.readouterr()
    assert call(["--project-dir", str(tmp_path / "new"), "--format", "json", "doctor"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert {"python", "duckdb", "extension ducklake", "time zones", "warehouse", "permissions"} <= found.keys()
    assert all(one["ok"] for one in found.values())


def test_without_a_project_only_the_installation_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(["doctor"]) == 0
    assert "none here" in capsys.readouterr().out


def test_definitions_that_are_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "segue.yaml").write_text("name: x\n")
    assert call(["--project-dir", str(tmp_path), "doctor"]) == 1
    assert "segue validate" in capsys.readouterr().out


def test_a_missing_extension(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("runners.commands.doctor.EXTENSIONS", ("no_such",))
    assert call(["doctor"]) == 1
    assert "BROKEN extension no_such: SEG-0603" in capsys.readouterr().out
