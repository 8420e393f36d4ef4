"""What programs read on stderr: one JSON object a line, whatever is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from runners.main import call
from runners.terminal.bar import Bar
from runners.terminal.log import Log


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    assert call(["--quiet", "init", str(tmp_path / "shop")]) == 0
    return tmp_path / "shop"


def records(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of a call, and every line of its stderr as JSON."""
    capsys.readouterr()
    code = call(["--log-format", "json", *arguments])
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all(list(one)[:3] == ["level", "code", "message"] for one in said)
    return code, said


def test_each_problem_of_the_definitions_is_a_line_with_its_place(
    starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (starter / "segments/new.yaml").write_text("segment: new\npurpose: analytic\nwhen: {in_segment: nobody}\n")
    code, said = records(capsys, "--project-dir", str(starter), "validate")
    assert (code, [one["code"] for one in said]) == (2, ["SEG-0301", "SEG-0302"])
    first = {key: said[0][key] for key in ("level", "file", "line", "column", "nearest")}
    assert first == {"level": "error", "file": "segments/new.yaml", "line": 2, "column": 10, "nearest": "analytics"}
    assert not any("\n" in one["message"] for one in said)


def test_a_warning_is_one(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definition = starter / "sources/people.yaml"
    definition.write_text(definition.read_text().replace("country: string", "country: string, city: string"))
    code, said = records(capsys, "--project-dir", str(starter), "validate")
    assert (code, [(one["level"], one["code"], one["line"]) for one in said]) == (0, [("warning", "SEG-0802", 6)])
    assert records(capsys, "--quiet", "--project-dir", str(starter), "validate") == (0, [])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ls", "--select", "tags:x"], 2, "SEG-0901"),
        (["show", "events"], 2, "SEG-0601"),
        (["ls", "--nothing"], 2, "SEG-0900"),
        (["--format=jsn", "ls"], 2, "SEG-0900"),
    ],
)
def test_a_wrong_call_is_one_line(
    starter: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    found = records(capsys, "--project-dir", str(starter), *arguments)
    assert (found[0], [(one["level"], one["code"]) for one in found[1]]) == (code, [("error", said)])


def test_what_an_audit_found_is_a_list(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definition = starter / "segments/good_customers.yaml"
    definition.write_text(definition.read_text() + 'expectations: {size: ">= 100", share: ">= 0.9"}\n')
    code, said = records(capsys, "--project-dir", str(starter), "run")
    assert (code, [(one["code"], len(one["findings"])) for one in said if one["level"] == "error"]) == (1, [("SEG-0610", 2)])
    assert "\n" not in said[0]["message"]


def test_a_whole_run_says_nothing_else(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (starter / "data/events.ndjson").write_text((starter / "data/events.ndjson").read_text() + '{"id": "half')
    code, said = records(capsys, "--project-dir", str(starter), "run")
    assert (code, [one["level"] for one in said]) == (0, ["info"])
    assert "no whole record" in said[0]["message"]


def test_progress_is_told_in_fields(capsys: pytest.CaptureFixture[str]) -> None:
    now = iter((0.0, 20.0))
    Bar(Log("json").note, quiet=False, clock=lambda: next(now), terminal=False).tell("read", 10, 0.25)
    said = json.loads(capsys.readouterr().err)
    assert {key: said[key] for key in ("level", "stage", "rows", "share", "seconds")} == {
        "level": "info",
        "stage": "read",
        "rows": 10,
        "share": 0.25,
        "seconds": 20.0,
    }
