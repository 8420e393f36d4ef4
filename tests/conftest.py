import pytest

from tests.support.met import MET


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the random worlds of this session asked."""
    lines = list(MET.lines())
    if lines:
        terminalreporter.section("what the random worlds asked")
        terminalreporter.write("\n".join([*lines, ""]))
