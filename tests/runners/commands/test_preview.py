"""A preview tells what a run would publish, writes nothing, and by a sample how wrong it may be."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random
from typing import Any

import pytest

from runners.answers import recalling
from runners.main import call
from tests.support.generator import Generator
from tests.support.histories import facts_of
from tests.support.oracle_model import DAY, Event, World
from tests.support.whole_runs import Target, crowded

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z


def world(*segments: dict[str, Any]) -> World:
    purposes = [{"id": "p", "basis": "legitimate_interest"}]
    sources = {"e1": {"kind": "events", "properties": {}}}
    return World({"timezone": "UTC", "purposes": purposes, "sources": sources, "segments": [*segments]})


def did(name: str, event: str, **more: Any) -> dict[str, Any]:
    return {"segment": name, "purpose": "p", "when": {"did": {"event": event, **more}}}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A hundred subjects: the first sixty did `a` and the last sixty `b`."""
    target = Target(tmp_path_factory.mktemp("published"), world(did("s", "a"))).sharded(1)
    names = [f"u{number:03}" for number in range(100)]
    target.write([Event("e1", who, "a", "a", START, START) for who in names[:60]])
    target.write([Event("e1", who, "b", "b", START, START) for who in names[40:]])
    target.run(START + DAY)
    target.define(world(did("s", "b"), did("new", "any"), did("part", "a"), {**did("inner", "a"), "publish": False}))
    return target


def preview(folder: Path, *arguments: str, form: str = "text") -> tuple[int, str, str]:
    """The exit code, what was said and what was noted."""
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as noted:
        code = call(["--project-dir", str(folder), "--format", form, "preview", *arguments])
    return code, said.getvalue(), noted.getvalue()


def told(folder: Path, *arguments: str) -> dict[str, Any]:
    code, said, noted = preview(folder, *arguments, form="json")
    assert code == 0, noted
    return dict(json.loads(said))


def numbers(said: dict[str, Any]) -> list[int]:
    return [said[name]["number"] for name in ("size", "entering", "leaving")]


def test_all_subjects_tell_the_size_and_who_enters_and_leaves(published: Target) -> None:
    said = told(published.folder, "s", "--sample", "1", "--limit", "2")
    assert numbers(said) == [60, 40, 40]
    assert [said[name]["few"] for name in ("size", "entering", "leaving")] == [
        ["u040", "u041"],
        ["u060", "u061"],
        ["u000", "u001"],
    ]
    assert said["published"] == {"version": 1, "size": 60, "is_same": False}
    assert said["size"]["low"] == said["size"]["high"] == 60


@pytest.mark.parametrize("segment", ["new", "inner"])
def test_a_segment_that_was_never_published_has_a_size_all_the_same(published: Target, segment: str) -> None:
    said = told(published.folder, segment)
    assert (said["published"], said["size"]["number"]) == (None, 100 if segment == "new" else 60)


def test_one_seed_tells_the_same_twice_and_its_bounds_hold_the_truth(published: Target) -> None:
    said = told(published.folder, "s", "--sample", "0.3", "--seed", "4")
    assert said == told(published.folder, "s", "--sample", "0.3", "--seed", "4")
    assert 10 < said["looked_at"] < 50 and said["subjects"] == 100
    for name, number in (("size", 60), ("entering", 40), ("leaving", 40)):
        assert said[name]["low"] <= number <= said[name]["high"]


def test_people_are_told_in_lines(published: Target) -> None:
    _, said, noted = preview(published.folder, "s", "--limit", "1")
    assert said.splitlines() == [
        "s at 2026-01-06T00:00:00Z, as known at 2026-01-05T00:00:00Z",
        "subjects          100  all of them looked at",
        "size               60",
        "published          60  version 1, another definition",
        "enter              40",
        "leave              40",
        "members     u040",
        "enter       u060",
        "leave       u000",
    ]
    assert noted == ""
    assert "95 of 100 samples" in preview(published.folder, "s", "--sample", "0.5")[1]
    assert "no version of it" in preview(published.folder, "new")[1]


def test_nothing_is_written(published: Target) -> None:
    before = {path: path.stat().st_mtime_ns for path in (published.folder / "lake").rglob("*.parquet")}
    told(published.folder, "s")
    assert {path: path.stat().st_mtime_ns for path in (published.folder / "lake").rglob("*.parquet")} == before
    assert len(published.runs()) == 1 and not (published.folder / "target").exists()


@pytest.mark.parametrize(
    ("arguments", "noted"),
    [
        (("t",), "SEG-0302"),
        (("newer",), "did you mean `new`?"),
        (("s", "--sample", "2"), "--sample"),
        (("s", "--sample", "0"), "--sample"),
        (("s", "--seed", str(2**64)), "--seed"),
    ],
)
def test_what_can_not_be_previewed(published: Target, arguments: tuple[str, ...], noted: str) -> None:
    code, said, error = preview(published.folder, *arguments)
    assert (code, said) == (2, "") and noted in error


def test_before_the_first_run_nothing_is_known(tmp_path: Path) -> None:
    Target(tmp_path, world(did("s", "a")))
    assert preview(tmp_path, "s")[0] == 2


def test_a_source_that_is_declared_otherwise_is_told(tmp_path: Path) -> None:
    target = Target(tmp_path, world(did("s", "a"))).sharded(1)
    target.write([Event("e1", "u", "a", "a", START, START)])
    target.run(START + DAY)
    wider = world(did("s", "a", where="n > 1"))
    wider.project["sources"]["e1"]["properties"] = {"n": "int"}
    target.define(wider)
    assert "what is declared of `e1` has changed" in preview(tmp_path, "s")[2]


@pytest.mark.parametrize("seed", [8, 36])
def test_what_is_previewed_is_what_the_next_run_publishes(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few facts at a time, so that the subjects come in portions."""
    monkeypatch.setattr(recalling, "_MOST", 20)
    generator = Generator(Random(seed))
    before = crowded(generator, 5)
    other = Generator(Random(seed + 1)).project()
    renamed = json.loads(json.dumps({name: other[name] for name in ("segments", "features")}).replace("grp", "others"))
    after = World({**before.project, **renamed}, before.events)
    at = generator.at()
    target = Target(tmp_path, before).sharded(1)
    target.write(facts_of(before))
    target.run(at)
    target.define(after)
    names = [segment["segment"] for segment in after.project["segments"]]
    previewed = {name: told(tmp_path, name, "--sample", "1", "--limit", "100") for name in names}
    members = [set(target.rows(f"SELECT subject FROM segment_membership WHERE segment = '{name}'")) for name in names]
    assert all(any(one[moved]["few"] for one in previewed.values()) for moved in ("entering", "leaving"))
    target.run(at)
    for name, was in zip(names, members, strict=True):
        now = {one for (one,) in target.rows(f"SELECT subject FROM segment_membership WHERE segment = '{name}'")}
        assert set(previewed[name]["size"]["few"]) == now
        assert set(previewed[name]["entering"]["few"]) == now - {one for (one,) in was}
        assert set(previewed[name]["leaving"]["few"]) == {one for (one,) in was} - now
