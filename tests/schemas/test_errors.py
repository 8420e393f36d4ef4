import re
from pathlib import Path
from typing import Any

import pytest

from schemas.codes import CODES
from schemas.errors import CallError, DefinitionErrors, GateClosed, NothingSelected, Problem, Stopped, TryAgain

ROOT = Path(__file__).parents[2]
FLOORS = ("schemas", "transforms", "pipelines", "runners")


def test_every_code_that_is_used_is_registered_with_its_meaning_and_no_other() -> None:
    files = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py") if path.name != "codes.py"]
    used = {code for path in files for code in re.findall(r"SEG-\d{4}", path.read_text())}
    assert used == CODES.keys() and all(CODES.values())


@pytest.mark.parametrize(
    ("error", "code"), [(CallError, 2), (NothingSelected, 3), (GateClosed, 4), (TryAgain, 75), (Stopped, 130)]
)
def test_every_error_has_its_exit_code(error: type[Any], code: int) -> None:
    assert error("SEG-0900", "no").exit_code == code


def test_a_problem_names_its_place_and_code() -> None:
    problem = Problem("SEG-0102", "the key `evnt` is not known here", "segments/a.yaml", 3, 9, nearest="event")
    assert problem.render().splitlines() == [
        "segments/a.yaml:3:9: SEG-0102 the key `evnt` is not known here",
        "  did you mean `event`?",
    ]


def test_a_caret_stands_below_the_column() -> None:
    *_, line, caret = Problem("SEG-0102", "no", "a.yaml", 3, 5, text="    evnt: x").render().splitlines()
    assert line[caret.index("^")] == "e"


def test_a_caret_of_a_long_line_stays_near() -> None:
    *_, line, caret = (
        Problem("SEG-0102", "no", "a.yaml", 1, 900, text="x" * 899 + "!" + "x" * 900).render().splitlines()
    )
    assert line[caret.index("^")] == "!" and len(line) < 120


def test_a_warning_says_so() -> None:
    assert "SEG-0802 warning: unused" in Problem("SEG-0802", "unused", severity="warning").render()


def test_all_problems_stand_in_one_error() -> None:
    error = DefinitionErrors([Problem("SEG-0001", "one"), Problem("SEG-0002", "two")])
    assert error.exit_code == 2 and str(error).splitlines() == ["SEG-0001 one", "SEG-0002 two"]


def test_a_hint_follows_the_message() -> None:
    assert str(CallError("SEG-0900", "no such option", "see --help")) == "SEG-0900 no such option\n  see --help"
