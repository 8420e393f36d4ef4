import json
from pathlib import Path

import pytest

from runners.main import call


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    assert call(["--quiet", "init", str(tmp_path / "new")]) == 0
    path = tmp_path / "new" / "segments" / "repeat.yaml"
    path.write_text("segment: repeat\npurpose: analytics\nwhen: {in_segment: good_customers}\n")
    return tmp_path / "new"


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("repeat", ["repeat"]),
        ("+repeat", ["good_customers", "repeat", "orders"]),
        ("orders.spend_30d+", ["good_customers", "repeat", "orders"]),
        ("orders", ["orders"]),
        ("tag:winback", ["left_basket"]),
        ("purpose:newsletter", ["left_basket"]),
        ("consumes:basket_filled", ["left_basket"]),
        ("purpose:analytics,+repeat", ["good_customers", "repeat", "orders"]),
        ("repeat left_basket", ["left_basket", "repeat"]),
    ],
)
def test_a_selection_means(starter: Path, capsys: pytest.CaptureFixture[str], selector: str, names: list[str]) -> None:
    capsys.readouterr()
    assert call(["--project-dir", str(starter), "ls", "--select", selector]) == 0
    assert sorted(capsys.readouterr().out.split()) == sorted(names)


def test_what_is_referred_to_comes_first(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    call(["--project-dir", str(starter), "ls", "--select", "+repeat"])
    assert capsys.readouterr().out.split() == ["good_customers", "repeat", "orders"]


@pytest.mark.parametrize(
    ("selector", "code", "said"),
    [
        ("tag:none", 3, "SEG-0903"),
        ("repeats", 2, "did you mean `repeat`?"),
        ("purpose:newsletters", 2, "did you mean `newsletter`?"),
        ("tags:x", 2, "did you mean `tag:`?"),
        ("state:new", 2, "there is state:modified"),
        ("result:error", 2, "SEG-0911"),
        ("shop", 3, "SEG-0903"),
    ],
)
def test_what_is_not_understood(
    starter: Path, capsys: pytest.CaptureFixture[str], selector: str, code: int, said: str
) -> None:
    assert call(["--project-dir", str(starter), "ls", "--select", selector]) == code
    assert said in capsys.readouterr().err


def test_nothing_selected_is_allowed(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert call(["--project-dir", str(starter), "--format", "json", "ls", "--select", "tag:x", "--allow-empty"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def ls(project: Path, capsys: pytest.CaptureFixture[str], selector: str) -> list[str]:
    capsys.readouterr()
    assert call(["--project-dir", str(project), "ls", "--select", selector, "--allow-empty"]) == 0
    return sorted(capsys.readouterr().out.split())


def test_modified_is_told_by_what_the_warehouse_holds(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything = ["good_customers", "left_basket", "orders", "repeat"]
    assert ls(starter, capsys, "state:modified") == everything
    assert not (starter / "warehouse").exists()
    assert call(["--quiet", "--project-dir", str(starter), "run"]) == 0
    assert ls(starter, capsys, "state:modified") == []
    definition = starter / "segments/good_customers.yaml"
    definition.write_text("# a word\n" + definition.read_text())
    assert ls(starter, capsys, "state:modified") == []
    definition.write_text(definition.read_text().replace(">= 100", ">= 90"))
    assert ls(starter, capsys, "state:modified") == ["good_customers", "repeat"]


def test_what_failed_is_told_by_the_results_of_the_last_run(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definition = starter / "segments/good_customers.yaml"
    definition.write_text(definition.read_text() + 'expectations: {size: ">= 1000"}\n')
    assert call(["--quiet", "--project-dir", str(starter), "run"]) == 1
    assert ls(starter, capsys, "result:error") == ["good_customers"]
    assert ls(starter, capsys, "result:error+") == ["good_customers", "repeat"]
    definition.write_text(definition.read_text().replace(">= 1000", ">= 1"))
    assert call(["--quiet", "--project-dir", str(starter), "run"]) == 0
    assert ls(starter, capsys, "result:error") == []
