"""An example of our own is one where it lies; a copy of it is its owner's project."""

from pathlib import Path

import pytest

from runners.examples import EXAMPLES, is_example


def test_the_folders_of_examples_are_examples() -> None:
    found = sorted(EXAMPLES.glob("*/segue.yaml"))
    assert found
    assert all(is_example(path.parent) for path in found)


def test_a_project_elsewhere_is_none_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "examples" / "grocer").mkdir(parents=True)
    assert not is_example(tmp_path / "examples" / "grocer")
    assert not is_example(EXAMPLES / ".." / "mine")


def test_an_example_is_one_by_whatever_way_it_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(EXAMPLES / "grocer")
    assert is_example(tmp_path / "link")
    monkeypatch.chdir(EXAMPLES / "grocer")
    assert is_example(Path())
