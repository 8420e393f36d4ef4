"""A process that is gone gives no more signs of life, and one that only slept is not taken for gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transforms.alive import ALIVE, live, silent_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ALIVE).mkdir()
    return tmp_path


def last_heard(path: Path, seconds_ago: float, of: Path) -> None:
    at = of.stat().st_mtime - seconds_ago
    os.utime(path, (at, at))


def test_a_process_is_silent_since_it_was_heard_of_last(folder: Path) -> None:
    silent_for(folder)
    gone = folder / ALIVE / "worker"
    gone.touch()
    last_heard(gone, 60, folder / ALIVE / "launcher")
    assert 60 <= silent_for(folder) < 70


def test_who_has_not_listened_for_a_while_takes_nobody_for_gone(folder: Path) -> None:
    silent_for(folder)
    own, gone = folder / ALIVE / "launcher", folder / ALIVE / "worker"
    gone.touch()
    for path in (gone, own):
        last_heard(path, 3600, own)
    assert silent_for(folder) == 0
    assert silent_for(folder) >= 3600


def test_a_process_gives_signs_of_life_until_the_folder_is_taken_away(folder: Path) -> None:
    code = """
import shutil, sys, threading
from pathlib import Path
from transforms.alive import ALIVE, live
folder = Path(sys.argv[1])
live(folder)
live(folder)
while not (heard := [*(folder / ALIVE).iterdir()]):
    threading.Event().wait(0.01)
assert len(heard) == 1, heard
shutil.rmtree(folder)
for thread in threading.enumerate():
    if thread.name == "alive":
        thread.join(30)
        assert not thread.is_alive()
"""
    said = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr


def test_a_run_that_nobody_listens_to_gives_no_signs(tmp_path: Path) -> None:
    live(tmp_path)
    assert [*tmp_path.iterdir()] == []
