"""What goes to stderr: words for people, or one JSON object a line for programs. Everything goes through here."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from schemas.errors import DefinitionErrors, Problem, SegueError

Level = Literal["info", "warning", "error"]


class Note(Protocol):
    """Takes a line of text, and what a program wants to know beside it."""

    def __call__(self, text: str, **more: Any) -> None:
        """Say it."""


@dataclass(frozen=True)
class Log:
    """Says things on stderr. A quiet one says errors only."""

    form: Literal["text", "json"] = "text"
    quiet: bool = False

    def note(self, text: str, **more: Any) -> None:
        """Something beside the result; `more` is for programs."""
        if not self.quiet:
            self._say(text, "info", None, text, more)

    def problem(self, problem: Problem) -> None:
        """One thing that is wrong with the definitions, or a warning."""
        if problem.severity == "warning" and self.quiet:
            return
        said = {key: part for key, part in asdict(problem).items() if part and key not in _SAID}
        self._say(problem.render(), problem.severity, problem.code, problem.message, said)

    def error(self, error: SegueError) -> None:
        """What ended the call."""
        if isinstance(error, DefinitionErrors):
            for problem in error.problems:
                self.problem(problem)
            return
        findings = [str(one) for one in getattr(error, "findings", ())]
        more = {"hint": error.hint, "findings": findings}
        self._say(str(error), "error", error.code, error.message, {key: part for key, part in more.items() if part})

    def fail(self, code: str, message: str, shown: str = "") -> None:
        """What ended the call and is no error of Segue's; `shown` is for people, where they are told more."""
        self._say(shown or f"{code} {message}", "error", code, message, {})

    def _say(self, text: str, level: Level, code: str | None, message: str, more: dict[str, Any]) -> None:
        record = {"level": level, "code": code, "message": message, **more}
        line = text if self.form == "text" else json.dumps(record, ensure_ascii=False)
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


_SAID = ("code", "message", "severity", "text")
"""What a record of a problem has already, and the line, which is for the caret."""
