import json
import re
from collections.abc import Callable
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


@pytest.fixture
def published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project that has run once."""
    assert call(["--quiet", "init", str(tmp_path / "new")]) == 0
    assert call(["--quiet", "--project-dir", str(tmp_path / "new"), "run", "--as-of", "2026-03-01"]) == 0
    capsys.readouterr()
    return tmp_path / "new"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _scratch(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9] + b"scratched")


def test_a_warehouse_whose_files_are_whole(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--project-dir", str(published), "doctor"]) == 0
    said = capsys.readouterr().out
    assert re.search("ok +data files: [0-9]+, each of its size", said)
    assert re.search("ok +states: [0-9]+, as they were written", said)


@pytest.mark.parametrize("harm", [Path.unlink, _cut, _scratch])
def test_a_state_that_is_gone_or_damaged_is_found_and_made_anew_by_a_full_refresh(
    published: Path, harm: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (published / "warehouse/state").glob("*/*.arrow"):
        harm(path)
    run = ["--quiet", "--project-dir", str(published), "run", "--as-of", "2026-03-02"]
    assert call(["--project-dir", str(published), "doctor"]) == 1
    assert call(run) == 1
    said = capsys.readouterr()
    assert "BROKEN states: SEG-0618" in said.out
    assert "SEG-0618" in said.err.splitlines()[-2]
    assert "--full-refresh" in said.err.splitlines()[-1]
    assert call([*run, "--full-refresh"]) == 0
    assert call(["--project-dir", str(published), "doctor"]) == 0


@pytest.mark.parametrize("harm", [Path.unlink, _cut])
def test_a_file_of_a_table_that_is_gone_or_damaged_is_found(
    published: Path, harm: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = (published / "warehouse/data/main/segment_transitions").glob("*.parquet")
    harm(file)
    assert call(["--project-dir", str(published), "doctor"]) == 1
    assert call(["--quiet", "--project-dir", str(published), "run", "--as-of", "2026-03-02", "--full-refresh"]) == 1
    assert call(["--project-dir", str(published), "query", "SELECT * FROM segment_transitions"]) == 1
    said, place = capsys.readouterr(), f"data/main/segment_transitions/{file.name}"
    assert f"BROKEN data files: SEG-0617 the file `{place}`" in said.out
    assert said.err.count(f"SEG-0617 the file `{place}`") == 2


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


def test_schemas_of_another_version_are_told_and_are_no_illness(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--quiet", "init", str(tmp_path / "shop")]) == 0
    assert call(["--project-dir", str(tmp_path / "shop"), "doctor"]) == 0
    assert "schemas: .segue/schemas is of this version" in capsys.readouterr().out
    (tmp_path / "shop/.segue/schemas/segment.schema.json").write_text("{}")
    assert call(["--project-dir", str(tmp_path / "shop"), "doctor"]) == 0
    assert "`segue schema -o .segue/schemas` renews it" in capsys.readouterr().out
