"""Instants on the command line: what is no instant is refused by the name of its option, and never guessed at."""

from pathlib import Path

import pytest

from runners.main import call
from runners.terminal.asking import instant_of
from runners.terminal.session import Session
from schemas.definitions.instant import parse_instant
from schemas.definitions.project import Project
from schemas.errors import CallError


@pytest.fixture
def berlin(tmp_path: Path) -> Project:
    """A project whose days begin at midnight in Berlin."""
    assert call(["--quiet", "init", str(tmp_path)]) == 0
    return Session(tmp_path).project()


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31", "2026-01-30T23:00:00Z"),
        (" 2026-07-01 ", "2026-06-30T22:00:00Z"),
        ("2026-01-31T09:30+05:30", "2026-01-31T04:00:00Z"),
        ("2026-01-31T09:30:00.5Z", "2026-01-31T09:30:00.5Z"),
    ],
)
def test_a_date_is_the_project_s_midnight_and_a_time_has_an_offset(berlin: Project, text: str, instant: str) -> None:
    assert instant_of("--at", text, berlin) == parse_instant(instant)
    assert instant_of("--at", None, berlin) is None


@pytest.mark.parametrize("option", ["--at", "--known-at"])
@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "the last day", "2026-02-30", "2026-1-1", "2026-01-31T25:00Z", "2026-01-31T09:30+99:00", "0001-01-01"],
)
def test_what_is_no_instant_is_refused_by_the_name_of_its_option(berlin: Project, option: str, text: str) -> None:
    with pytest.raises(CallError) as caught:
        instant_of(option, text, berlin)
    assert (caught.value.code, caught.value.message) == ("SEG-0110", f"{option} is no instant: {text}")
    assert caught.value.hint.startswith("give ISO 8601")


@pytest.mark.parametrize("text", ["2026-01-31T09:30", "2026-01-31 09:30:00"])
def test_a_time_without_an_offset_is_refused_for_that(berlin: Project, text: str) -> None:
    with pytest.raises(CallError) as caught:
        instant_of("--as-of", text, berlin)
    assert caught.value.message == f"--as-of is no instant: {text}, which names no offset"


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("run", "--as-of"),
        ("run", "--known-at"),
        ("explain ada good_customers", "--at"),
        ("explain ada good_customers", "--known"),
    ],
)
def test_every_option_for_an_instant_says_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    assert call(["--quiet", "init", str(tmp_path)]) == 0
    assert call(["--project-dir", str(tmp_path), *command.split(), option, "soon"]) == 2
    assert f"SEG-0110 {option} is no instant: soon" in capsys.readouterr().err
