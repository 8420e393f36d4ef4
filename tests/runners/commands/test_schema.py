import json
from pathlib import Path

import pytest

from runners.main import call
from runners.schema_files import kind_of

PUBLISHED = Path(__file__).parents[3] / "docs/schemas"
KINDS = ["segue", "source", "features", "segment", "purposes"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_one_kind_is_printed(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["schema", kind]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((PUBLISHED / f"{kind}.schema.json").read_text())


def test_all_of_them_are_printed_by_their_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["schema"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == KINDS


def test_the_published_schemas_are_current(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["schema", "-o", str(tmp_path / "schemas")]) == 0
    assert len(capsys.readouterr().out.split()) == len(KINDS)
    written = {path.name: path.read_text() for path in (tmp_path / "schemas").iterdir()}
    assert written == {path.name: path.read_text() for path in PUBLISHED.iterdir()}, "`make docs` writes them"


def test_an_unknown_kind_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["schema", "segmnt"]) == 2
    assert "did you mean `segment`?" in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert call(["schema", "-o", str(tmp_path / "file")]) == 1
    assert "SEG-0608" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "kind"),
    [("segue.yaml", "segue"), ("segments/a.yaml", "segment"), ("segments/eu/a.yaml", "segment"), ("purposes.yaml", "purposes"),
     ("models/a.yaml", None), ("data/segue.yaml", None), ("lists/a.csv", None)],
)  # fmt: skip
def test_a_file_is_of_a_kind_by_where_it_lies(path: str, kind: str | None) -> None:
    assert kind_of(Path(path)) == kind
