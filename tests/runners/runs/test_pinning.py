"""A plan is carried out as it was made, or not at all."""

import json
import os
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import pytest

from tests.support.planned import SEGMENTS, T, copied, did, edit, event, planned, segue, world
from tests.support.published import tables_of
from tests.support.whole_runs import Target


@pytest.fixture
def target(published: Target, tmp_path: Path) -> Target:
    """A threshold is edited, and there is a file to read."""
    found = copied(published, tmp_path / "project")
    edit(found, big=did("big", "q", where="value > 1"))
    found.write([event("dan", 3, 9)], "more")
    return found


def test_a_plan_that_holds_is_the_run_at_its_t(target: Target, tmp_path: Path) -> None:
    twin = copied(target, tmp_path / "twin")
    planned(target)
    code, said, noted = segue(target, "--format", "json", "apply", str(target.folder / "plan.json"))
    assert code == 0, noted
    assert (json.loads(said)["status"], json.loads(said)["t"]) == ("published", T)
    twin.run(T)
    assert target.history() == twin.history()
    assert [run[1:] for run in map(astuple, target.runs())] == [run[1:] for run in map(astuple, twin.runs())]
    assert planned(target)["does"] == "nothing"


def test_a_plan_of_a_project_that_was_never_published_holds(tmp_path: Path) -> None:
    target = Target(tmp_path, world())
    (tmp_path / "items.csv").write_text("id,colour\n1,red\n")
    target.write([event("ann", 1, 3)])
    planned(target)
    assert segue(target, "apply", str(tmp_path / "plan.json"))[0] == 0
    assert [run.t_at for run in target.runs()] == [T]


def test_a_plan_that_does_nothing_publishes_nothing(published: Target, tmp_path: Path) -> None:
    target = copied(published, tmp_path / "project")
    planned(target)
    code, said, _ = segue(target, "apply", str(target.folder / "plan.json"))
    assert (code, len(target.runs())) == (0, 1) and "nothing new" in said


def grown(target: Target) -> None:
    target.write([event("dan", 4, 9)], "more")


def another_file(target: Target) -> None:
    target.write([event("dan", 4, 9)], "other")


def a_file_less(target: Target) -> None:
    (target.folder / "data/app/more.ndjson").unlink()


def written_again(target: Target) -> None:
    path = target.folder / "data/app/more.ndjson"
    path.write_text(path.read_text().replace('"9"', '"8"'))
    os.utime(path, ns=(1, 1))


def another_threshold(target: Target) -> None:
    edit(target, big=did("big", "q", where="value > 0"))


def a_row_of_a_lookup(target: Target) -> None:
    (target.folder / "items.csv").write_text("id,colour\n1,blue\n")


def an_id_on_a_list(target: Target) -> None:
    target.define(world({**SEGMENTS, "big": did("big", "q", where="value > 1")}, "bob"))
    target.sharded(1)


def another_run(target: Target) -> None:
    target.write([event("dan", 4, 9)], "other")
    target.run(T)


def another_t(target: Target) -> None:
    target.run(T + 1)


def another_run_behind_it(target: Target) -> None:
    target.run(T)
    target.write([event("dan", 4, 9)], "other")
    target.run(T + 1)


def other_shards(target: Target) -> None:
    target.sharded(2)


@pytest.mark.parametrize(
    ("move", "said"),
    [
        (grown, "`data/app/more.ndjson`"),
        (another_file, "`data/app/other.ndjson`"),
        (a_file_less, "`data/app/more.ndjson`"),
        (written_again, "`data/app/more.ndjson`"),
        (another_threshold, "the definitions have changed: segment `big`, `fans`"),
        (a_row_of_a_lookup, "the definitions have changed: segment `red`"),
        (an_id_on_a_list, "the definitions have changed: segment `vip`"),
        (another_run, "was published since"),
        (another_t, "was published since"),
        (another_run_behind_it, "was published since"),
        (other_shards, "the number of shards has changed"),
    ],
)
def test_a_world_that_has_moved_is_refused_and_nothing_is_published(
    target: Target, move: Callable[[Target], None], said: str
) -> None:
    planned(target)
    move(target)
    before = target.runs(), target.history()
    code, _, noted = segue(target, "apply", str(target.folder / "plan.json"))
    assert code == 2 and "SEG-0915" in noted and said in noted
    assert (target.runs(), target.history()) == before
    assert not any((target.folder / "lake/staging").iterdir())


def as_it_was(target: Target) -> None:
    """Nothing has come since."""


@pytest.mark.parametrize("move", [as_it_was, grown, another_file, another_threshold, other_shards])
def test_a_plan_that_was_carried_out_changes_nothing_whatever_has_come_since(
    target: Target, move: Callable[[Target], None]
) -> None:
    planned(target)
    assert segue(target, "apply", str(target.folder / "plan.json"))[0] == 0
    before = tables_of(target.folder / "lake", set())
    move(target)
    code, said, noted = segue(target, "apply", str(target.folder / "plan.json"))
    assert (code, said) == (0, f"published before, as {target.runs()[-1].run_id}: the tables are as they were\n"), noted
    assert tables_of(target.folder / "lake", set()) == before


def test_a_plan_that_a_run_has_carried_out_changes_nothing(target: Target) -> None:
    planned(target)
    target.run(T)
    code, said, _ = segue(target, "apply", str(target.folder / "plan.json"))
    assert code == 0 and said.startswith("published before")
    assert len(target.runs()) == 2


def test_a_plan_for_another_target_is_refused(target: Target) -> None:
    planned(target)
    path = target.folder / "plan.json"
    path.write_text(path.read_text().replace('"target": "dev"', '"target": "live"'))
    code, _, noted = segue(target, "apply", str(path))
    assert code == 2 and "it is for the target `live`, not `dev`" in noted


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "target": "dev", "pinned": {"t": "x"}}', "\0"]
)
def test_what_is_no_plan_is_refused(target: Target, text: str) -> None:
    path = target.folder / "plan.json"
    path.write_text(text)
    code, _, noted = segue(target, "apply", str(path))
    assert code == 2 and "SEG-0914" in noted


def test_a_plan_that_is_not_there_is_refused(target: Target) -> None:
    code, _, noted = segue(target, "apply", "nowhere.json")
    assert code == 2 and "SEG-0914" in noted
