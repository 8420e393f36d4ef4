import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.support.met import MET

# A law says nothing about how busy the machine is.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so do the processes that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the random worlds of this session asked."""
    lines = list(MET.lines())
    if lines:
        terminalreporter.section("what the random worlds asked")
        terminalreporter.write("\n".join([*lines, ""]))
