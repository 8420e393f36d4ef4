import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.engines.prism import prism_path
from schemas.errors import CallError
from tests.support.broker import Broker
from tests.support.emulated import BUCKET, PROJECT, Emulator, bigquery, cloud_storage


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
    return _fetched("SEGUE_KAFKA")


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


@pytest.fixture(scope="session")
def emulators() -> Path:
    """The environment in which emulators are installed."""
    return _fetched("SEGUE_EMULATORS")


def _fetched(variable: str) -> Path:
    place = os.environ.get(variable, "")
    if not place:
        pytest.skip(f"{variable} is not set: `make test-services` fetches what it names")
    return Path(place)


@pytest.fixture(scope="session")
def emulator(emulators: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator of BigQuery for all tests, each of which has a dataset of its own."""
    yield from _asked(bigquery(emulators, tmp_path_factory.mktemp("bigquery")))


@pytest.fixture(scope="session")
def bucket(emulators: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bucket in an emulator of Cloud Storage."""
    for _ in _asked(cloud_storage(emulators, tmp_path_factory.mktemp("storage"))):
        yield f"gs://{BUCKET}"


def _asked(started: Emulator) -> Iterator[Emulator]:
    """Let libraries ask it while tests run."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in started.environment.items():
            patched.setenv(name, value)
        yield started
    started.stop()


@pytest.fixture
def dataset(emulator: Emulator, request: pytest.FixtureRequest) -> str:
    """The name of a dataset, for one test."""
    return f"{PROJECT}.d{abs(hash(request.node.nodeid))}"
