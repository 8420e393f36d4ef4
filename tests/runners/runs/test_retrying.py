"""A run that failed is done again as it was begun, whatever has come since, or is refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from runners.runs.outlook import Options
from tests.support.begun import die, live, retry
from tests.support.planned import SEGMENTS, T, copied, did, edit, event, segue, world
from tests.support.published import Tables, tables_of
from tests.support.whole_runs import Target

ROOT = Path(__file__).parents[3]
DAY = 86_400_000_000
CLOCK = T + 400 * DAY
"""What the clock says when a run begins that is not told its T."""


@pytest.fixture
def target(published: Target, tmp_path: Path) -> Target:
    """There is a file of two records to read."""
    found = copied(published, tmp_path / "project")
    found.write([event("dan", 3, 9), event("eve", 4, 9)], "more")
    return found


def undisturbed(target: Target) -> Tables:
    """The tables of the run that is left alone, over the same files; the warehouse is as it was then."""
    lake = target.folder / "lake"
    shutil.copytree(lake, target.folder / "before")
    live(target.folder, Options(CLOCK))
    found = tables_of(lake)
    shutil.rmtree(lake)
    (target.folder / "before").rename(lake)
    return found


def grown(target: Target) -> None:
    target.write([event("fay", 5, 9)], "more")


def another_file(target: Target) -> None:
    target.write([event("fay", 5, 9)], "other")


def touched(target: Target) -> None:
    os.utime(target.folder / "data/app/more.ndjson", ns=(1, 1))


def another_threshold(target: Target) -> None:
    edit(target, big=did("big", "q", where="value > 100"))


def another_segment(target: Target) -> None:
    edit(target, late=did("late", "q", where="value > 1"))


def other_shards(target: Target) -> None:
    target.sharded(2)


MOVES = (grown, another_file, touched, another_threshold, another_segment, other_shards)


@pytest.mark.parametrize(("move", "when"), [*((move, "begun") for move in MOVES), (grown, "computed")])
def test_a_run_that_is_retried_publishes_what_it_would_have_published(
    target: Target, move: Callable[[Target], None], when: str
) -> None:
    wanted = undisturbed(target)
    pin = die(target.folder, Options(CLOCK), when)
    move(target)
    assert retry(target, pin)[0] == 0
    assert tables_of(target.folder / "lake") == wanted
    assert target.runs()[-1].t_at == CLOCK


def test_what_has_come_since_is_read_by_the_next_run(target: Target) -> None:
    pin = die(target.folder, Options(CLOCK))
    grown(target)
    another_file(target)
    assert retry(target, pin)[0] == 0
    target.run(CLOCK)
    assert [run.fates["read"] for run in target.runs()[1:]] == [2, 2]


def test_a_run_whose_k_was_fixed_is_retried_at_that_k(target: Target) -> None:
    known_at = target.runs()[-1].known_at + 1
    pin = die(target.folder, Options(CLOCK, known_at=known_at))
    assert retry(target, pin)[0] == 0
    assert target.runs()[-1].known_at == known_at


def test_a_full_refresh_is_retried_as_one(target: Target) -> None:
    pin = die(target.folder, Options(CLOCK, T - DAY, full_refresh=True))
    assert retry(target, pin)[0] == 0
    assert (target.runs()[-1].t_at, target.runs()[-1].fates["read"]) == (T - DAY, 11)


def test_the_first_run_of_all_is_retried(tmp_path: Path) -> None:
    target = Target(tmp_path, world())
    (tmp_path / "items.csv").write_text("id,colour\n1,red\n")
    target.write([event("ann", 1, 3)])
    pin = die(target.folder, Options(CLOCK))
    another_file(target)
    assert retry(target, pin)[0] == 0
    assert [run.fates["read"] for run in target.runs()] == [1]


def gone(target: Target) -> None:
    (target.folder / "data/app/more.ndjson").unlink()


def shorter(target: Target) -> None:
    path = target.folder / "data/app/more.ndjson"
    path.write_bytes(path.read_bytes()[:-1])


def written_again(target: Target) -> None:
    path = target.folder / "data/app/more.ndjson"
    path.write_text(path.read_text().replace('"dan"', '"don"'))
    os.utime(path, ns=(1, 1))


def written_again_and_grown(target: Target) -> None:
    written_again(target)
    grown(target)


def a_row_of_a_lookup(target: Target) -> None:
    (target.folder / "items.csv").write_text("id,colour\n1,blue\n")


def an_id_on_a_list(target: Target) -> None:
    target.define(world(SEGMENTS, "bob"))
    target.sharded(1)


def another_run(target: Target) -> None:
    target.run(CLOCK)


@pytest.mark.parametrize(
    ("move", "said"),
    [
        (gone, "`data/app/more.ndjson`"),
        (shorter, "`data/app/more.ndjson`"),
        (written_again, "`data/app/more.ndjson`"),
        (written_again_and_grown, "`data/app/more.ndjson`"),
        (a_row_of_a_lookup, "the definitions have changed: segment `red`"),
        (an_id_on_a_list, "the definitions have changed: segment `vip`"),
        (another_run, "was published since"),
    ],
)
def test_a_run_that_can_not_be_what_it_was_is_refused_and_nothing_is_published(
    target: Target, move: Callable[[Target], None], said: str
) -> None:
    pin = die(target.folder, Options(CLOCK))
    move(target)
    before = tables_of(target.folder / "lake")
    code, noted = retry(target, pin)
    assert code == 2 and "SEG-0919" in noted and said in noted
    assert tables_of(target.folder / "lake") == before
    assert not any((target.folder / "lake/staging").iterdir())


def test_a_file_that_was_changed_in_its_middle_is_found_out_when_all_is_read(target: Target) -> None:
    """Its ends are as they were, and of its middle only the first reading knew."""
    path = target.folder / "data/app/long.ndjson"
    target.write([event(f"g{number:04}", 3, 9) for number in range(3_000)], "long")
    pin = die(target.folder, Options(CLOCK), "computed")
    path.write_text(path.read_text().replace('"g1500"', '"g150x"'))
    os.utime(path, ns=(1, 1))
    code, noted = retry(target, pin)
    assert code == 2 and "changed in its middle" in noted
    assert len(target.runs()) == 1


def test_a_run_that_was_published_after_all_changes_nothing(target: Target) -> None:
    pin = die(target.folder, Options(CLOCK))
    assert retry(target, pin)[0] == 0
    before = tables_of(target.folder / "lake")
    code, said, _ = segue(target, "--format", "json", "retry", pin)
    assert (code, json.loads(said)["status"]) == (0, "unchanged")
    _, said, _ = segue(target, "retry", pin)
    assert said == f"published before, as {target.runs()[-1].run_id}: the tables are as they were\n"
    assert tables_of(target.folder / "lake") == before


def test_a_run_is_also_called_by_what_it_published_and_by_the_beginning_of_its_id(target: Target) -> None:
    pin = die(target.folder, Options(CLOCK))
    assert retry(target, pin[:8])[0] == 0
    assert retry(target, target.runs()[-1].run_id)[0] == 0


@pytest.mark.parametrize("name", ["", "nothing", "../plan", "*"])
def test_a_run_that_is_not_known_here_is_refused(target: Target, name: str) -> None:
    die(target.folder, Options(CLOCK))
    (target.folder / "target/runs/cut.json").write_text('{"version": 1, "id": "nothing"')
    code, noted = retry(target, name)
    assert code == 2 and "SEG-0918" in noted


def test_a_run_of_another_target_is_refused(target: Target) -> None:
    settings = target.folder / "segue.yaml"
    said = yaml.safe_load(settings.read_text())
    said["targets"]["live"] = {"warehouse": "ducklake:elsewhere"}
    settings.write_text(yaml.safe_dump({**said, "default_target": "dev"}))
    pin = die(target.folder, Options(CLOCK))
    code, _, noted = segue(target, "--target", "live", "retry", pin)
    assert code == 2 and "it is for the target `dev`, not `live`" in noted


def test_a_run_that_is_killed_is_pinned_in_its_published_form_and_told_of(target: Target, tmp_path: Path) -> None:
    fault = {"SEGUE_FAULT": "begun", "SEGUE_FAULT_LOG": str(tmp_path / "fired"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "runners.main", "--project-dir", str(target.folder), "run"]
    done = subprocess.run(command, env={**os.environ, **fault}, capture_output=True, timeout=300, check=False)
    assert (done.returncode, (tmp_path / "fired").read_text()) == (-signal.SIGKILL, "begun\n")
    (path,) = (target.folder / "target/runs").glob("*.json")
    said = json.loads(path.read_text())
    jsonschema.validate(said, json.loads((ROOT / "docs/artifacts/run.schema.json").read_text()))
    assert said["pinned"]["t"] == said["started_at"]
    assert retry(target, path.stem)[0] == 0
    assert target.runs()[-1].t_at == said["started_at"]


def test_a_run_that_fails_says_how_it_is_done_again_and_fails_again_by_its_own_definitions(target: Target) -> None:
    edit(target, big={**did("big", "q"), "expectations": {"size": ">= 100"}})
    code, _, noted = segue(target, "run", "--as-of", "2026-01-07")
    pin = json.loads((target.folder / "target/run_results.json").read_text())["pin"]
    assert code == 1 and f"segue retry {pin}" in noted
    edit(target)
    code, noted = retry(target, pin)
    assert code == 1 and "expected >= 100" in noted
    assert len(target.runs()) == 1


def test_the_last_hundred_runs_are_kept(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.runs.attempt.KEPT", 2)
    pins = [die(target.folder, Options(CLOCK + number)) for number in range(3)]
    left = {path.stem for path in (target.folder / "target/runs").iterdir()}
    assert left == {*pins[1:]}
