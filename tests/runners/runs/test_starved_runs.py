"""A run to which the system refuses something: done, or a typed error with its exit code, and never a part of a publish."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.codes import CODES
from tests.support.published import Tables, tables_of
from tests.support.refusing import IS_POSSIBLE

ROOT = Path(__file__).parents[3]
PLENTY = "size=1000000000"
SIZES = tuple(f"size={size}" for size in (400, 4_096, 120_000))
FILES = tuple(f"files={files}" for files in (0, 3, 8))
CALLS = tuple(f"{call}={error}" for call in ("write", "rename") for error in ("EIO", "ENOSPC"))
FAILING = (*CALLS, "fsync=EIO", "fdatasync=EIO", "read=EIO", "openat=EIO") if IS_POSSIBLE else ()
HELD = "held=catalog"
REFUSED = (*SIZES, *FILES, *FAILING, HELD)
TYPED = {"0": {"done"}, "1": {"SEG-0604", "SEG-0625", "SEG-0624"}, "75": {"SEG-0605"}}
"""By exit code, what may have ended a run."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """Where each run lies; what ended the one that was refused something, its exit code, and that of the one after it."""
    folder = tmp_path_factory.mktemp("starved")
    command = [sys.executable, str(ROOT / "tests/support/starving.py"), str(folder), PLENTY, *REFUSED]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return folder, {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}


@pytest.fixture(scope="module")
def undisturbed(ended: tuple[Path, dict[str, list[str]]]) -> Tables:
    return tables_of(ended[0] / PLENTY / "warehouse")


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_system_refuses_is_told_and_the_next_run_makes_it_good(
    ended: tuple[Path, dict[str, list[str]]], undisturbed: Tables, what: str
) -> None:
    folder, codes = ended
    told, code, after = codes[what]
    assert told in TYPED[code] and (told == "done" or told in CODES)
    assert after == "0"
    assert tables_of(folder / what / "warehouse") == undisturbed


def test_some_limits_are_reached_and_some_are_not(ended: tuple[Path, dict[str, list[str]]]) -> None:
    _, codes = ended
    assert {codes["size=400"][0], codes["files=0"][0], codes[PLENTY][0]} >= {"SEG-0604", "done"}


@pytest.mark.skipif(not FAILING, reason="calls are refused on Linux on x86-64")
def test_a_disk_that_fails_is_not_told_as_a_full_one(ended: tuple[Path, dict[str, list[str]]]) -> None:
    _, codes = ended
    assert [codes[what][0] for what in ("fsync=EIO", "read=EIO", "openat=EIO")] == ["SEG-0625"] * 3
    assert [codes[what][0] for what in ("write=ENOSPC", "rename=ENOSPC")] == ["SEG-0604"] * 2


def test_files_that_are_too_many_are_told_though_the_catalog_does_not_say_so(ended: tuple[Path, dict[str, list[str]]]) -> None:
    assert [ended[1][what][0] for what in FILES[:2]] == ["SEG-0624"] * 2


def test_a_catalog_that_another_process_has_is_to_be_tried_again(ended: tuple[Path, dict[str, list[str]]]) -> None:
    assert ended[1][HELD] == ["SEG-0605", "75", "0"]
