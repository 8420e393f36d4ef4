"""A folder stays while the process lives whose it is, wherever it runs, and goes when nobody is left."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runners.warehouses.leasing import lease, sweep_leases

HOLDER = """
import pathlib, sys
from runners.warehouses.leasing import lease
folder = lease(pathlib.Path(sys.argv[1])).folder
for name in (folder.name, folder.name + "-1.part", folder.name + "-2.ready"):
    folder.with_name(name).mkdir()
print("made", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(parent: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds three folders and waits."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(parent)], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None and process.stdout.readline() == "made\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_folders_of_a_process_that_lives_stay_and_go_when_it_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path):
        assert sweep_leases(tmp_path) == 0
        assert len([*tmp_path.iterdir()]) == 4
    assert sweep_leases(tmp_path) == 3
    assert not any(tmp_path.iterdir())


def test_the_number_of_a_process_says_nothing(tmp_path: Path) -> None:
    (tmp_path / f"{os.getpid()}-ab").mkdir()
    assert sweep_leases(tmp_path) == 1


def test_what_is_given_back_is_swept_and_what_is_held_is_not(tmp_path: Path) -> None:
    one, other = lease(tmp_path), lease(tmp_path)
    for held in (one, other):
        held.folder.mkdir()
    one.release()
    one.release()
    assert sweep_leases(tmp_path) == 1
    assert other.folder.is_dir()
    other.release()


def test_where_there_is_no_folder_nothing_is_swept(tmp_path: Path) -> None:
    assert sweep_leases(tmp_path / "none") == 0
