"""All sources of a project are followed as one."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pyarrow as pa
import pytest

from runners.sources.live import Followers, OpenSources
from schemas.cut import Heard
from schemas.definitions.project import Project
from schemas.errors import JobFailed
from schemas.record import RawChunk
from tests.support.raw_files import source_of


class Told:
    """Tells of a file so often."""

    def __init__(self, file: str, times: int, clock_at: int) -> None:
        self.file, self.times, self.clock_at, self.is_closed = file, times, clock_at, False

    def poll(self) -> RawChunk | None:
        self.times -= 1
        return RawChunk("web", self.file, "ndjson", 1, pa.array([], pa.binary())) if self.times >= 0 else None

    def heard(self) -> Heard:
        return Heard(self.clock_at, (("web", self.file),))

    def close(self) -> None:
        self.is_closed = True


def test_each_source_has_its_turn_and_those_that_are_silent_hold_up_none() -> None:
    followers = Followers([Told("a", 2, 5), Told("b", 0, 5), Told("c", 3, 5)])
    polled = [followers.poll() for _ in range(6)]
    assert [None if chunk is None else chunk.file for chunk in polled] == ["c", "a", "c", "a", "c", None]


def test_all_are_as_far_as_the_slowest_clock_and_all_that_are_active_are_told() -> None:
    followers = Followers([Told("a", 0, 5), Told("b", 0, 3)])
    assert followers.heard() == Heard(3, (("web", "a"), ("web", "b")))


def test_the_clock_is_the_one_that_is_given(tmp_path: Path) -> None:
    project = SimpleNamespace(root=tmp_path, roots=(), sources={"orders": source_of(**{"from": {"files": "*.ndjson"}})})
    assert Followers.of(cast(Project, project), {}, lambda: 7).heard() == Heard(7)


def test_all_are_let_go_of_together() -> None:
    both = [Told("a", 0, 5), Told("b", 0, 3)]
    Followers([*both]).close()
    assert [one.is_closed for one in both] == [True, True]


def test_a_worker_of_another_version_reads_nothing_and_says_both(tmp_path: Path) -> None:
    project = cast(Project, SimpleNamespace(root=tmp_path, roots=(), sources={}))
    assert OpenSources(project)({}).poll() is None
    with pytest.raises(JobFailed) as told:
        OpenSources(project, "99.0")({})
    assert (told.value.code, "99.0" in told.value.message) == ("SEG-0622", True)
