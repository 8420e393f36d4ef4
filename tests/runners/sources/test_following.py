"""Which files hold up T while they are followed."""

from pathlib import Path

import pytest

from runners.sources import reading
from schemas.cut import Share
from tests.support.followed import SECOND, Followed, append
from tests.support.raw_files import written

ONE = b'{"a":1}\n'


def test_events_that_told_of_anything_in_the_last_five_seconds_are_active(tmp_path: Path) -> None:
    path, followed = written(tmp_path / "x.ndjson", ONE), Followed(tmp_path)
    followed.look()
    followed.at += 5 * SECOND - 1
    assert followed.active() == ["x.ndjson"]
    followed.at += 1
    assert followed.active() == []
    append(path, ONE)
    followed.look()
    assert followed.active() == ["x.ndjson"]


def test_events_of_which_only_half_a_line_came_are_idle(tmp_path: Path) -> None:
    written(tmp_path / "x.ndjson", b'{"a"')
    followed = Followed(tmp_path)
    followed.look()
    assert followed.active() == []


@pytest.mark.parametrize("kind", ["profiles", "identities"])
def test_what_is_no_event_is_active_only_while_something_of_it_waits(kind: str, tmp_path: Path) -> None:
    for name in "xy":
        written(tmp_path / f"{name}.ndjson", ONE)
    followed = Followed(tmp_path, **{kind: "*.ndjson"})
    assert followed.poll() is not None
    assert followed.active() == ["y.ndjson"]
    followed.look()
    assert followed.active() == []


def test_a_file_of_which_a_part_was_read_waits_with_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 2 * len(ONE))
    written(tmp_path / "x.ndjson", 3 * ONE)
    followed = Followed(tmp_path, profiles="*.ndjson")
    assert followed.poll() is not None
    assert followed.active() == ["x.ndjson"]
    assert followed.records() == [ONE]
    assert followed.active() == []


def test_the_clock_is_the_readers(tmp_path: Path) -> None:
    followed = Followed(tmp_path)
    followed.at = 7 * SECOND
    assert followed.follower.heard().clock_at == 7 * SECOND


def test_folders_are_looked_at_again_after_a_fifth_of_a_second(tmp_path: Path) -> None:
    followed = Followed(tmp_path)
    followed.look()
    written(tmp_path / "x.ndjson", ONE)
    followed.at += SECOND // 5 - 1
    assert followed.poll() is None
    followed.at += 1
    assert followed.poll() is not None


def test_a_look_passes_over_files_without_records_to_those_that_have_some(tmp_path: Path) -> None:
    for name, content in (("x", b'{"a"'), ("y", b'{"a"'), ("z", ONE)):
        written(tmp_path / f"{name}.ndjson", content)
    followed = Followed(tmp_path)
    followed.look()
    append(tmp_path / "x.ndjson", b" ")
    append(tmp_path / "z.ndjson", ONE)
    followed.at += SECOND
    chunk = followed.poll()
    assert chunk is not None and chunk.file == "z.ndjson"


def test_a_follower_that_is_closed_lets_go_of_what_it_was_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", len(ONE))
    written(tmp_path / "x.ndjson", 3 * ONE)
    followed = Followed(tmp_path)
    followed.poll()
    assert followed.active() == ["x.ndjson"]
    followed.follower.close()
    assert followed.poll() is None


def test_of_several_readers_each_file_is_told_by_one(tmp_path: Path) -> None:
    for number in range(20):
        append(tmp_path / f"{number}.ndjson", b"%d\n" % number)
    told = [Followed(tmp_path, share=Share(number, 3)).records() for number in range(3)]
    assert sorted(int(record) for one in told for record in one) == [*range(20)]
    assert all(told)
