"""What a person sees of a long run."""

import pytest

from runners.terminal.bar import Bar, told


class Clock:
    """A clock that stands until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_quarter_in_ten_seconds_leaves_half_a_minute() -> None:
    assert told("read", 5_000, 0.25, 10) == "read █████░░░░░░░░░░░░░░░  25%  5,000 records, 500 a second, 0:30 left"


def test_nothing_is_foretold_before_anything_is_read() -> None:
    assert told("read", 0, 0.0, 3) == "read ░░░░░░░░░░░░░░░░░░░░   0%  0 records"
    assert told("publish", 0, 1.0, 75) == "publish …  75 s"


def test_in_a_pipe_there_is_a_line_every_ten_seconds() -> None:
    lines: list[str] = []
    clock = Clock()
    bar = Bar(lambda text, **more: lines.append(text), quiet=False, clock=clock, terminal=False)
    for clock.now in (0.0, 4.0, 9.9, 10.0, 15.0, 20.0):
        bar.tell("read", 10, 0.5)
    bar.tell("publish", 0, 1.0)
    assert [line.split()[0] for line in lines] == ["read", "read"]


def test_on_a_terminal_a_line_is_drawn_over_and_wiped_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Bar(pytest.fail, quiet=False, clock=clock, terminal=True) as bar:
        for clock.now in (1.0, 1.1, 2.0):
            bar.tell("read", 10, 0.5)
        bar.tell("publish", 0, 1.0)
    assert capsys.readouterr().err.count("\r\x1b[2K") == 4


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    Bar(pytest.fail, quiet=True, clock=Clock(), terminal=True).tell("read", 10, 0.5)
    assert capsys.readouterr().err == ""
