"""Streams over files as their user drives them: what grows is published, and what changed ends them with exit 1."""

from pathlib import Path

import pytest

from runners.main import call
from tests.support.command_line import asked, segue
from tests.support.followed import append
from tests.support.ordering import events, order, project_of
from tests.support.streamed import HISTORY, begin, streaming, wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("prism_is_there")]
COUNT = "SELECT count(*) AS n FROM events"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = shop(tmp_path / "shop")
    append(project / "data" / "a.ndjson", lines(1))
    return project


def shop(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    return project_of(folder, {"files": "data/**/*.ndjson"})


def lines(*numbers: int) -> bytes:
    return b"".join(order(number, who=f"u{number % 7}") + b"\n" for number in numbers)


def test_what_is_appended_and_what_is_new_is_published_and_the_next_run_finds_it_read(project: Path) -> None:
    begun, rest = lines(40)[:9], lines(40)[9:-1]
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 1)
        append(project / "data" / "a.ndjson", lines(*range(2, 40)) + begun)
        wait_until(stream, project, COUNT, 39)
        append(project / "data" / "a.ndjson", rest)
        (project / "data" / "new").mkdir()
        append(project / "data" / "new" / "b.ndjson", lines(41))
        wait_until(stream, project, COUNT, 40)
        append(project / "data" / "a.ndjson", b"\n")
        wait_until(stream, project, COUNT, 41)
    segue(project, "run")
    assert asked(project, "SELECT sum(read) AS read, sum(duplicate) AS duplicate FROM run_manifest") == [
        {"read": 41, "duplicate": 0}
    ]
    alone = shop(project.parent / "alone")
    append(alone / "data" / "a.ndjson", lines(*range(1, 42)))
    segue(alone, "run")
    assert [asked(project, HISTORY), events(project)] == [asked(alone, HISTORY), events(alone)]


def test_a_file_that_shrinks_ends_it_with_exit_1_as_it_ends_a_run(project: Path) -> None:
    stream = begin(project)
    wait_until(stream, project, COUNT, 1)
    append(project / "data" / "a.ndjson", lines(2))
    wait_until(stream, project, COUNT, 2)
    (project / "data" / "a.ndjson").write_bytes(lines(2))
    _, said = stream.communicate(timeout=60)
    assert (stream.returncode, "SEG-0700 `data/a.ndjson` is not what it was" in said, "Traceback" in said) == (1, True, False)
    assert call(["--project-dir", str(project), "run"]) == 1
    assert not [*(project / "warehouse" / "staging").iterdir()]
