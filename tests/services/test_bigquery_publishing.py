"""The rules of publishing hold in a dataset of BigQuery too: those of the embedded warehouse, asked of the emulator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.warehouses.bigquery.opening import open_bigquery
from runners.warehouses.lake import Lake
from runners.warehouses.preparing import prepare
from tests.runners.publishing.test_publish import *  # noqa: F403

pytestmark = pytest.mark.services
del test_new_columns_are_added_and_decimals_widened  # noqa: F821  the emulator tells no precision of a column


@pytest.fixture
def lake(dataset: str, tmp_path: Path) -> Iterator[Lake]:
    """An empty dataset, open for writing."""
    with open_bigquery(dataset, tmp_path / "work", str(tmp_path / "states"), write=True) as opened:
        prepare(opened)
        yield opened
