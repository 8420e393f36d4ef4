import signal

import pytest

from tests.support.met import MET


def pytest_configure() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so do the processes that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the random worlds of this session asked."""
    lines = list(MET.lines())
    if lines:
        terminalreporter.section("what the random worlds asked")
        terminalreporter.write("\n".join([*lines, ""]))
