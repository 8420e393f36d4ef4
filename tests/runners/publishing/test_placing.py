"""Large facts are not written twice: the files of the workers become files of the warehouse."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from runners.publishing import placing
from runners.publishing.publish import publish
from runners.publishing.sweeping import sweep
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from tests.support.staged_runs import event, first_run, plan_of, stage


def _published(root: Path) -> list[tuple[Any, ...]]:
    """What is stored of two runs; the second replaces one event by a better twin and brings a new one."""
    with open_lake(root, write=True) as lake:
        prepare(lake)
        publish(lake, first_run(lake))
        plan = plan_of(lake, 20)
        stage(plan, "events", [event("bob", "2", 2, received=1.5, replaces=True), event("cy", "3", 12)])
        publish(lake, plan)
    with open_lake(root) as lake:
        return lake.rows("SELECT COLUMNS(*)::VARCHAR FROM events ORDER BY ALL")


def test_adopted_files_hold_the_rows_that_written_ones_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = _published(tmp_path / "written")
    monkeypatch.setattr(placing, "LARGE", 1)
    assert _published(tmp_path / "adopted") == written
    shutil.move(tmp_path / "adopted", tmp_path / "moved")
    with open_lake(tmp_path / "moved") as lake:
        assert len(list((lake.data / "main").glob("events/run_id=*/*.parquet"))) == 2
        assert lake.rows("SELECT COLUMNS(*)::VARCHAR FROM events ORDER BY ALL") == written


@pytest.mark.parametrize("name", ["source=other", "a*", "[ab]", "what?"])
def test_below_a_folder_whose_name_means_more_to_the_engine_rows_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(placing, "LARGE", 1)
    assert len(_published(tmp_path / name / "warehouse")) == 3
    assert not list((tmp_path / name / "warehouse").rglob("run_id=*"))


def test_files_of_a_run_that_was_never_committed_are_swept(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "LARGE", 1)
    publish(lake, first_run(lake))
    (folder,) = (lake.data / "main").glob("events/run_id=*")
    orphan = folder.with_name("run_id=0123")
    shutil.copytree(folder, orphan)
    sweep(lake)
    assert not orphan.exists()
    assert lake.value("SELECT count(*) FROM events") == 2
