"""The engine's extensions are the signed ones, which a process looks at once."""

from pathlib import Path

import pytest

from runners.warehouses import ducklake
from runners.warehouses.ducklake import open_lake


def may_load_unsigned(root: Path) -> bool:
    with open_lake(root, write=True) as lake:
        return bool(lake.value("SELECT current_setting('allow_unsigned_extensions')"))


def test_signatures_are_looked_at_once_in_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ducklake, "_SIGNED", set())
    assert [may_load_unsigned(tmp_path) for _ in range(3)] == [False, True, True]
