import os
from pathlib import Path

import pytest

from tests.support.grocer import Households, run_households

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data with answers that others computed; a machine that does not hold it skips."""
    folder = Path(os.environ.get("SEGUE_DATA", ROOT.parent / "shared" / "data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: SEGUE_DATA names the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def households(tmp_path_factory: pytest.TempPathFactory) -> Households:
    """Sixty whole households of the grocer, after the three runs."""
    return run_households(tmp_path_factory.mktemp("sixty") / "project", 60)


@pytest.fixture(scope="session")
def many_households(tmp_path_factory: pytest.TempPathFactory) -> Households:
    return run_households(tmp_path_factory.mktemp("many") / "project", 200)
