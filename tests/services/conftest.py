import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.engines.prism import prism_path
from schemas.errors import CallError
from tests.support.broker import Broker


@pytest.fixture(scope="session")
def prism_is_there() -> None:
    """Skip what runs on Prism where it was not built."""
    try:
        prism_path()
    except CallError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def libraries() -> Path:
    """Where the jars of Kafka lie."""
    place = os.environ.get("SEGUE_KAFKA", "")
    if not place:
        pytest.skip("`make test-services` fetches Kafka and says where it lies")
    return Path(place)


@pytest.fixture(scope="session")
def broker(libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all tests, each of which has a topic of its own; whoever kills it starts it again."""
    started = Broker(libraries, tmp_path_factory.mktemp("kafka"))
    yield started
    started.stop()


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> str:
    """A topic of one partition, for one test."""
    name = f"t{abs(hash(request.node.nodeid))}"
    broker.create(name)
    return name
