"""Two runs or versions compared: who entered, left and moved, and the reason that the record gives."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from runners.main import call
from runners.warehouses.query import AS_OF
from tests.runners.commands.test_preview import did, world
from tests.support.generator import Generator
from tests.support.histories import facts_of
from tests.support.oracle_model import DAY, HOUR, Event
from tests.support.whole_runs import Run, Target, crowded

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
WEEK = did("week", "a", window="7d")
Moves = dict[tuple[str, str], str]


def seen(subject: str, at: int, name: str = "a", **more: Any) -> Event:
    return replace(Event("e1", subject, f"{name}-{at}", name, at, at), **more)


def diff(folder: Path, *arguments: str, form: str = "text") -> tuple[int, str, str]:
    """The exit code, what was said and what was noted."""
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as noted:
        code = call(["--project-dir", str(folder), "--format", form, "diff", *arguments])
    return code, said.getvalue(), noted.getvalue()


def told(folder: Path, *arguments: str) -> dict[str, Any]:
    code, said, noted = diff(folder, *arguments, "--limit", "1000", form="json")
    assert code == 0, noted
    return dict(json.loads(said))


def moves(said: dict[str, Any]) -> dict[str, dict[str, str]]:
    """By segment, each subject with what it did and why."""
    found: dict[str, dict[str, str]] = {}
    for one in said["changes"]:
        assert one["subjects"] == len(one["few"])
        found.setdefault(one["segment"], {}).update(dict.fromkeys(one["few"], f"{one['change']} {one['reason']}"))
    return found


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """Four runs: of day 1; of day 8, when Ann's week has passed; a correction on day 9; and another definition on day 9."""
    made = Target(tmp_path_factory.mktemp("runs"), world(WEEK)).sharded(2)
    made.write([seen("ann", START), seen("bob", START), seen("cem", START)])
    made.run(START + DAY)
    made.write([seen("bob", START + 2 * DAY), seen("dora", START + 3 * DAY)])
    made.run(START + 8 * DAY)
    # Bob came earlier than it was known; Cem was here on day 4; Dora was not new on day 3.
    late = {"received_at": START + 8 * DAY + HOUR}
    made.write([seen("cem", START + 4 * DAY, **late), seen("dora", START + 2 * DAY, **late), seen("bob", START + 8 * DAY)])
    made.run(START + 9 * DAY)
    made.define(world(did("week", "b", window="7d"), did("new", "a")))
    made.write([seen("eli", START + 8 * DAY, "b", **late)])
    made.run(START + 9 * DAY)
    return made


@pytest.fixture(scope="module")
def runs(target: Target) -> list[str]:
    return [run.run_id for run in target.runs()]


def test_who_entered_and_who_left_is_told_with_the_reason(target: Target, runs: list[str]) -> None:
    said = told(target.folder, runs[0], runs[1])
    assert moves(said) == {"week": {"ann": "left expiry", "cem": "left expiry", "dora": "entered event"}}
    (week,) = said["segments"]
    assert week == {"segment": "week", "before": 3, "after": 2, "entered": 1, "left": 2, "moved": 0}
    assert said["a"] == {"run_id": runs[0], "t": "2026-01-06T00:00:00.000000Z", "k": "2026-01-05T00:00:00.000000Z"}


def test_what_was_learned_later_is_told_as_late_and_who_is_in_since_another_instant_has_moved(
    target: Target, runs: list[str]
) -> None:
    found = moves(told(target.folder, runs[1], runs[2]))
    assert found == {"week": {"cem": "entered late", "dora": "moved late"}}


def test_over_several_runs_what_made_the_answer_is_told_and_no_correction_of_something_else(
    target: Target, runs: list[str]
) -> None:
    """Cem had left by what was known then, and has never left by what is known now."""
    found = moves(told(target.folder, runs[0], runs[2]))
    assert found == {"week": {"ann": "left expiry", "dora": "entered event"}}


def test_backwards_the_same_are_told_the_other_way_round(target: Target, runs: list[str]) -> None:
    found = moves(told(target.folder, runs[1], runs[0]))
    assert found == {"week": {"ann": "entered expiry", "cem": "entered expiry", "dora": "left event"}}


def test_another_definition_is_the_reason_of_what_it_changes(target: Target, runs: list[str]) -> None:
    found = moves(told(target.folder, runs[2], runs[3]))
    assert found["week"] == dict.fromkeys(("bob", "cem", "dora"), "left definition") | {"eli": "entered definition"}
    assert set(found["new"].values()) == {"entered definition"} and len(found["new"]) == 4


def test_versions_are_compared_at_the_t_of_the_older_ones_last_run(target: Target) -> None:
    said = told(target.folder, "week@1", "week@2")
    assert [said["a"]["version"], said["b"]["version"], said["a"]["t"]] == ["week@1", "week@2", said["b"]["t"]]
    expected = dict.fromkeys(("bob", "cem", "dora"), "left definition") | {"eli": "entered definition"}
    assert moves(said) == {"week": expected}
    assert moves(told(target.folder, "week@2", "week@1"))["week"]["eli"] == "left definition"


def test_a_run_differs_from_itself_in_nothing(target: Target, runs: list[str]) -> None:
    assert told(target.folder, runs[1], runs[1])["changes"] == []
    assert told(target.folder, "week@1", "week@1")["changes"] == []


def test_an_id_may_be_cut_short_and_people_are_told_in_tables(target: Target, runs: list[str]) -> None:
    code, said, _ = diff(target.folder, runs[0][:12], runs[1][:12])
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == f"{runs[0]} at 2026-01-06T00:00:00.000000Z, as known at 2026-01-05T00:00:00.000000Z"
    assert [line.split() for line in lines[5:6]] == [["week", "3", "2", "1", "2", "0"]]
    assert lines[-1].split() == ["week", "left", "expiry", "2"]
    assert '["ann"]' in diff(target.folder, runs[0], runs[1], "--limit", "1")[1]


@pytest.mark.parametrize(
    ("a", "b", "noted"),
    [
        ("zz", "x", "no run has an id"),
        ("", "", "more than one run"),
        ("week@1", "week@7", "no version `week@7` was published"),
        ("week@1", "new@1", "versions of two segments"),
        ("week@1", "x", "not of one kind"),
        ("none@1", "none@2", "no version"),
    ],
)
def test_what_is_not_in_the_record_is_refused(target: Target, a: str, b: str, noted: str) -> None:
    code, said, error = diff(target.folder, a, b)
    assert (code, said) == (2, "") and "SEG-0913" in error and noted in error


def test_before_the_first_run_there_is_nothing_to_compare(tmp_path: Path) -> None:
    Target(tmp_path, world(WEEK))
    assert diff(tmp_path, "a", "b")[0] == 2


@pytest.mark.parametrize("seed", [3, 5])
def test_between_any_runs_of_a_random_world_every_difference_of_the_record_is_told_with_a_reason(
    tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    generator = Generator(random)
    made = crowded(generator, 6)
    target = Target(tmp_path, made).sharded(2)
    facts = facts_of(made)
    random.shuffle(facts)
    for number, at in enumerate(sorted(generator.at() for _ in range(4))):
        if number == 2:
            other = [{**one, "when": {"not": one["when"]}} for one in made.project["segments"][-1:]]
            target.define(replace(made, project={**made.project, "segments": [*made.project["segments"][:-1], *other]}))
        target.write(facts[number::4])
        target.run(at)
    runs = target.runs()
    members = [members_of(target, run) for run in runs]
    for a, b in [(0, 1), (1, 3), (0, 3), (3, 1)]:
        said = moves(told(tmp_path, runs[a].run_id, runs[b].run_id))
        found = {(name, who): why for name, some in said.items() for who, why in some.items()}
        assert {key for key, why in found.items() if why.startswith("entered")} == members[b].keys() - members[a].keys()
        assert {key for key, why in found.items() if why.startswith("left")} == members[a].keys() - members[b].keys()
        both = {key for key in members[a].keys() & members[b].keys() if members[a][key] != members[b][key]}
        assert {key for key, why in found.items() if why.startswith("moved")} == both
        assert not any(why.endswith("None") for why in found.values())


def test_targets_are_compared_at_the_earlier_of_their_last_t(tmp_path: Path) -> None:
    one = Target(tmp_path, world(WEEK))
    settings = tmp_path / "segue.yaml"
    said = yaml.safe_load(settings.read_text())
    said["targets"]["live"] = {"warehouse": "ducklake:other"}
    settings.write_text(yaml.safe_dump({**said, "default_target": "dev"}))
    one.write([seen("ann", START), seen("bob", START + DAY)])
    one.run(START + 2 * DAY)
    assert call(["--quiet", "--project-dir", str(tmp_path), "--target", "live", "run", "--as-of", "2026-01-07T00:00:00Z"]) == 0
    assert moves(told(tmp_path, "dev", "live")) == {}
    one.write([seen("cem", START + 2 * DAY), seen("ann", START + DAY)])
    one.run(START + 3 * DAY)
    assert moves(told(tmp_path, "dev", "live")) == {"week": {"cem": "left None"}}
    assert moves(told(tmp_path, "live", "dev")) == {"week": {"cem": "entered None"}}
    assert told(tmp_path, "dev", "live")["a"]["target"] == "dev"
    code, _, error = diff(tmp_path, "dev", "lives")
    assert code == 2 and "SEG-0404 no target `lives`" in error and "did you mean `live`" in error


def members_of(target: Target, run: Run) -> dict[tuple[str, str], int]:
    """Who is a member at the run's T by what it published, and since when."""
    with target.lake() as lake:
        lake.run(AS_OF)
        moment = f"make_timestamptz({run.t_at}), make_timestamptz({run.known_at})"
        rows = lake.rows(f"SELECT segment, subject, epoch_us(since) FROM as_of({moment})")
    return {(segment, subject): since for segment, subject, since in rows}
