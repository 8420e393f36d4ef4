import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.met import MET

# A law says nothing about how busy the machine is.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

CORES = "SLURM_CPUS_ON_NODE"
"""As many threads DuckDB takes, wherever a warehouse is opened; where it is not set, one for each core of the machine."""


def pytest_configure(config: pytest.Config) -> None:
    """What a shell starts in the background ignores Ctrl-C, and so do the processes that it starts.

    Where tests are spread over processes, each has one core: threads that wait for work beside each other take a third of all.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        os.environ.setdefault(CORES, "1")


@pytest.fixture(scope="module")
def every_core() -> Iterator[None]:
    """The engine has all its threads, for tests that ask what they do to each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(CORES, raising=False)
        yield


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where tests are spread over processes, hand on what those of this one have met."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["met"] = dict(MET.counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Count what the tests of another process have met; one that died has handed on nothing."""
    MET.counts.update(getattr(node, "workeroutput", {}).get("met", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the random worlds of this session asked."""
    lines = list(MET.lines())
    if lines:
        terminalreporter.section("what the random worlds asked")
        terminalreporter.write("\n".join([*lines, ""]))
