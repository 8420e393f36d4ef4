import json
from pathlib import Path

import pytest

from runners.main import call


def test_the_starter_validates_and_tells_its_stories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["init", str(tmp_path / "new")]) == 0
    assert call(["--project-dir", str(tmp_path / "new"), "validate"]) == 0
    assert "warning" not in capsys.readouterr().err
    assert call(["--project-dir", str(tmp_path / "new"), "test"]) == 0


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("a_1", "a_1"),
        ("My Shop", "starter"),
        ("shop-1", "starter"),
        ("1st", "starter"),
        ("läden", "starter"),
        ("name: NAME", "starter"),
        ("x" * 64, "starter"),
        ("shop/../bakery", "bakery"),
    ],
)
def test_a_project_is_called_as_its_folder_where_that_is_a_name(tmp_path: Path, folder: str, name: str) -> None:
    assert call(["--quiet", "init", str(tmp_path / folder)]) == 0
    assert (tmp_path / folder / "segue.yaml").read_text().splitlines()[1] == f"name: {name}"
    assert call(["--quiet", "--project-dir", str(tmp_path / folder), "validate"]) == 0


def test_the_folder_one_is_in_gives_the_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corner").mkdir()
    monkeypatch.chdir(tmp_path / "corner")
    assert call(["--quiet", "init", "."]) == 0
    assert "\nname: corner\n" in Path("segue.yaml").read_text()


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "purposes.yaml").write_text("mine")
    assert call(["init", str(tmp_path)]) == 2
    assert "SEG-0907" in capsys.readouterr().err
    assert (tmp_path / "purposes.yaml").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["purposes.yaml"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert call(["init", str(tmp_path / "file")]) == 2


def test_an_unknown_example_names_the_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["init", str(tmp_path / "new"), "--example", "groceries"]) == 2
    assert "grocer" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_an_example_is_copied_without_its_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("segue.yaml", "warehouse/catalog.sqlite", "target/manifest.json", "data/orders.csv"):
        (tmp_path / "examples" / "shop" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "examples" / "shop" / name).write_text(name)
    monkeypatch.setattr("runners.commands.init.EXAMPLES", tmp_path / "examples")
    assert call(["init", str(tmp_path / "new"), "--example", "shop"]) == 0
    copied = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert {name for name in copied if not name.startswith(".segue/")} == {"segue.yaml", "data/orders.csv"}


def test_every_definition_names_a_schema_that_lies_in_the_project(tmp_path: Path) -> None:
    assert call(["--quiet", "init", str(tmp_path / "new")]) == 0
    files = sorted((tmp_path / "new").rglob("*.yaml"))
    assert len(files) >= 8
    for path in files:
        marked, _, address = path.read_text().splitlines()[0].partition("$schema=")
        assert marked == "# yaml-language-server: "
        assert (path.parent / address).resolve().parent == tmp_path / "new/.segue/schemas"
        assert json.loads((path.parent / address).read_text())["$schema"].endswith("2020-12/schema")


def test_the_files_are_listed_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--format", "json", "--quiet", "init", str(tmp_path / "new")]) == 0
    told = capsys.readouterr()
    assert str(tmp_path / "new" / "segue.yaml") in json.loads(told.out)
    assert told.err == ""
