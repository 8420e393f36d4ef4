from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """An empty warehouse, open for writing."""
    with open_lake(tmp_path / "warehouse", write=True) as opened:
        prepare(opened)
        yield opened
