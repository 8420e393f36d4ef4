"""The two kernels answer alike, from the same facts in memory; and a process is measured whole."""

import shutil
from pathlib import Path

import pytest

from benchmarks.bench import measured
from benchmarks.by_sql import kernel_by_sql
from benchmarks.kernels import by_shard, in_memory, kernel_by_segue, published
from benchmarks.world import END_AT, HERE, Size, reveal, take_slice, write_world
from runners.runs.outlook import Options
from runners.runs.running import open_target, run_batch
from schemas.definitions.catalog import Project, read_project
from tests.support.worlds import language

AT = "2026-01-01T00:00:00+00:00"
SMALL = Size(events=3_000, subjects=300)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("kernels") / "project"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("data", "later", "warehouse", "target"))
    write_world(folder, SMALL)
    reveal(folder)
    return read_project(folder, language())


def test_both_kernels_find_the_same_members(project: Project) -> None:
    with open_target(project) as lake:
        run_batch(lake, project, Options(now=0), lambda *_: None)
    facts = published(project)
    con = in_memory(facts)
    kernel_by_sql(con, AT)
    turns = kernel_by_segue(project, by_shard(facts, 4), END_AT)["transitions"]
    last: dict[tuple[str, str], tuple[int, bool]] = {}
    for table in turns:
        columns = (table[name].to_pylist() for name in ("segment", "subject", "at", "member"))
        for segment, subject, at, member in zip(*columns, strict=True):
            last[segment, subject] = max(last.get((segment, subject), (at, member)), (at, member))
    ours = {key for key, (_, member) in last.items() if member}
    assert ours == set(con.execute("SELECT segment, subject FROM members").fetchall())


def test_a_slice_holds_every_line_of_its_subjects_and_no_other(project: Project, tmp_path: Path) -> None:
    events, taken = take_slice(project.root, tmp_path, 10)
    lines = [line for path in (tmp_path / "data" / "events").glob("*.ndjson") for line in path.read_text().splitlines()]
    assert (events, taken) == (SMALL.events, len(lines))
    assert all('0","at"' in line for line in lines)


def test_what_a_process_takes_is_measured_and_without_imports_there_is_less_of_it() -> None:
    some, other = measured(["-c", "sum(range(4_000_000))"]), measured(["-c", "pass"])
    assert some.wall > other.wall > 0
    assert (some - other).cpu < some.cpu
    assert some.peak_mb > 1


def test_a_process_that_fails_tells_why() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1:\s+no such luck"):
        measured(["-c", "raise SystemExit('no such luck')"])
