"""What `target/` says of a run and of the definitions: whole, true of the last call, and in its published form."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runners.artifacts import write_artifact
from runners.main import call
from runners.runs.stages import Stages
from schemas.errors import JobFailed

ROOT = Path(__file__).parents[3]


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    assert call(["--quiet", "init", str(tmp_path / "shop")]) == 0
    return tmp_path / "shop"


def run(project: Path, *more: str) -> int:
    return call(["--quiet", "--project-dir", str(project), "run", *more])


def left(project: Path, name: str = "run_results") -> Any:
    """What lies in target/, which is of its published form."""
    said = json.loads((project / f"target/{name}.json").read_text())
    jsonschema.validate(said, json.loads((ROOT / f"docs/artifacts/{name}.schema.json").read_text()))
    return said


def expect(project: Path, text: str) -> None:
    """Add an expectation to the segment of customers who left a basket."""
    definition = project / "segments/left_basket.yaml"
    definition.write_text(definition.read_text() + f"expectations: {text}\n")


def endings(said: Any) -> dict[str, str]:
    return {one["name"]: one["status"] for one in said["stages"]}


def verdicts(said: Any) -> dict[str, str]:
    return {one["name"]: one["status"] for one in said["results"]}


def test_a_run_that_publishes_tells_its_stages_and_tables(starter: Path) -> None:
    assert run(starter) == 0
    said = left(starter)
    assert (said["status"], said["rows"]["events"], len(said["run_id"])) == ("published", 8, 32)
    assert endings(said) == dict.fromkeys(("read", "compute", "audit", "publish"), "success")
    assert [one["rows"] for one in said["stages"]][:2] == [18, 18]
    assert said["seconds"] >= sum(one["seconds"] for one in said["stages"]) - 0.01
    assert set(verdicts(said).values()) == {"success"}


def test_a_run_with_nothing_to_do_names_the_one_that_stands(starter: Path) -> None:
    assert run(starter) == 0
    first = left(starter)
    assert run(starter) == 0
    second = left(starter)
    assert (second["status"], second["run_id"], second["rows"]) == ("unchanged", first["run_id"], {})
    assert endings(second)["publish"] == "skipped"


def test_an_expectation_that_is_not_met_is_told_of_the_segment_it_is_about(starter: Path) -> None:
    expect(starter, '{size: ">= 100"}')
    assert run(starter) == 1
    said = left(starter)
    assert (said["status"], said["error"]["code"], said["run_id"]) == ("failed", "SEG-0610", None)
    assert endings(said)["audit"] == "error" and endings(said)["publish"] == "skipped"
    assert verdicts(said) == {"left_basket": "error", "good_customers": "success", "orders": "success"}
    found = next(one for one in said["results"] if one["name"] == "left_basket")["findings"]
    assert found and "expected >= 100" in found[0]


def test_an_expectation_of_a_source_is_told_of_all_that_read_it(starter: Path) -> None:
    definition = starter / "sources/shop.yaml"
    definition.write_text(definition.read_text() + "expect: {freshness: 1s}\n")
    assert run(starter, "--as-of", "2026-03-01") == 1
    assert set(verdicts(left(starter)).values()) == {"error"}


def test_an_expectation_of_a_feature_is_told_of_its_group(starter: Path) -> None:
    definition = starter / "features/orders.yaml"
    text = definition.read_text().replace("op: sum,", "op: sum, expect: {between: [0, 1]},")
    assert "expect:" in text
    definition.write_text(text)
    assert run(starter) == 1
    assert verdicts(left(starter))["orders"] == "error"


def test_a_run_that_fails_leaves_nothing_of_an_earlier_one(starter: Path) -> None:
    assert run(starter) == 0
    assert run(starter, "--as-of", "2020-01-01") == 2
    said = left(starter)
    assert (said["status"], said["error"]["code"], said["rows"]) == ("failed", "SEG-0904", {})
    assert set(verdicts(said).values()) == {"error"}


def test_wrong_definitions_are_a_failed_run_without_results(starter: Path) -> None:
    (starter / "segments/left_basket.yaml").write_text("segment: left_basket\n")
    assert run(starter) == 2
    said = left(starter)
    assert (said["status"], said["results"]) == ("failed", [])
    assert set(endings(said).values()) == {"skipped"}


def test_a_folder_that_is_no_project_is_left_as_it_is(tmp_path: Path) -> None:
    assert run(tmp_path) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("stop", "status"), [("SIGINT", "stopped"), ("SIGKILL", None)])
def test_a_run_that_is_stopped_says_so_and_one_that_is_killed_leaves_nothing_false(
    starter: Path, stop: str, status: str | None
) -> None:
    (starter / "target").mkdir()
    (starter / "target/run_results.json").write_text('{"status": "published"}')
    fault = {"SEGUE_FAULT": "before_commit", "SEGUE_FAULT_SIGNAL": stop, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "runners.main", "--project-dir", str(starter), "run"]
    done = subprocess.run(command, env={**os.environ, **fault}, capture_output=True, timeout=300, check=False)
    if status is None:
        assert done.returncode == -signal.SIGKILL
        assert not (starter / "target/run_results.json").exists()
    else:
        assert done.returncode == 130
        said = left(starter)
        assert (said["status"], said["error"]["code"], endings(said)["publish"]) == ("failed", "SEG-0130", status)


@pytest.mark.parametrize("command", ["run", "test", "compile"])
def test_what_works_on_the_whole_project_leaves_its_manifest(starter: Path, command: str) -> None:
    assert call(["--quiet", "--project-dir", str(starter), command]) == 0
    said = left(starter, "manifest")
    assert set(said["segments"]) == {"good_customers", "left_basket"}
    assert all(said[kind] for kind in ("purposes", "sources", "features"))


def test_an_artifact_that_can_not_be_written_leaves_the_one_that_stood(tmp_path: Path) -> None:
    write_artifact(tmp_path, "one.json", "1")
    (tmp_path / "target/two.json").mkdir()
    with pytest.raises(JobFailed, match=r"target/two\.json"):
        write_artifact(tmp_path, "two.json", "2")
    assert sorted(path.name for path in (tmp_path / "target").iterdir()) == ["one.json", "two.json"]


def test_what_a_stage_took_ends_where_the_next_begins() -> None:
    now = iter((0.0, 2.0, 5.0, 6.0))
    stages = Stages(lambda: next(now))
    tell = stages.following(lambda stage, rows, share: None)
    tell("read", 3, 0.5)
    tell("compute", 8, 1.0)
    tell("audit", 40, 0.0)
    stages.end("error")
    told = [(one.name, one.rows, one.seconds, one.status) for one in stages.all]
    assert told[:2] == [("read", 8, 2.0, "success"), ("compute", 8, 3.0, "success")]
    assert told[2:] == [("audit", 40, 1.0, "error"), ("publish", 0, 0.0, "skipped")]


def test_what_is_told_of_no_stage_is_a_word_about_the_current_one() -> None:
    now = iter((0.0, 4.0))
    stages, told = Stages(lambda: next(now)), list[str]()
    tell = stages.following(lambda stage, rows, share: told.append(stage))
    tell("read", 0, 0.0)
    tell("waiting for the brokers of `orders`", 0, 0.0)
    stages.end("error")
    assert (stages.all[0].seconds, stages.all[0].status) == (4.0, "error")
    assert told == ["read", "waiting for the brokers of `orders`"]


def test_a_stage_that_is_gone_through_twice_took_both_times() -> None:
    now = iter((0.0, 2.0, 5.0, 6.0, 10.0))
    stages = Stages(lambda: next(now))
    for name in ("read", "compute", "read", "compute"):
        stages.reach(name, 8)
    stages.end("success")
    told = [(one.name, one.rows, one.seconds) for one in stages.all][:2]
    assert told == [("read", 8, 3.0), ("compute", 8, 7.0)]
