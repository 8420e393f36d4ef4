import functools
from collections.abc import Iterator

import pytest

from tests.support.forking import Forks
from tests.support.killed_worlds import LeftAlone, Worlds
from tests.support.planned import publish
from tests.support.whole_runs import Target


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A project with one run; tests take copies of it."""
    return publish(tmp_path_factory.mktemp("published") / "project")


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with Forks() as made:
        yield made


@pytest.fixture(scope="session")
def worlds(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """The world of a seed, made once."""
    return functools.cache(lambda seed: LeftAlone(tmp_path_factory.mktemp(f"world{seed}"), seed, forks))


@pytest.fixture(scope="session")
def forgetful(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """The same, where events are kept but for a time."""
    return functools.cache(lambda seed: LeftAlone(tmp_path_factory.mktemp(f"forgetful{seed}"), seed, forks, keeps=False))
