
import pytest

from tests.support.planned import publish
from tests.support.whole_runs import Target


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A project with one run; tests take copies of it."""
    return publish(tmp_path_factory.mktemp("published") / "project")
