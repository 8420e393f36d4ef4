"""What can go wrong, in one tree.

SegueError                 exit code
├── DefinitionErrors       2   the definitions are wrong: every problem of every file at once
├── CallError              2   the call is wrong
├── NothingSelected        3   a selection is empty
├── GateClosed             4   a gate is closed: consent is stale, publishing is blocked
├── AuditFailed            1   what was staged did not pass its audit; nothing was published
├── SourceChanged          1   a file that was read before has changed, or a topic has lost records
├── JobFailed              1   the job itself failed
├── TryAgain              75   something outside was busy; the same call may succeed later
└── Stopped              130   stopped by a signal

Messages name places and types, never the values of a person's records.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the definitions, and where.

    Lines and columns count from 1; 0 is the whole file. `text` is the line as it stands in the file.
    """

    code: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    expected: str = ""
    found: str = ""
    nearest: str = ""
    severity: Severity = "error"
    text: str = ""

    def __str__(self) -> str:
        return self.render()

    def render(self) -> str:
        """The problem as text: `file:line:column: code message`, what was expected, and the line with a caret."""
        lines = [f"{self._place()}{self._label()} {self.message}"]
        if self.expected:
            lines.append(f"  expected {self.expected}")
        if self.found:
            lines.append(f"  found    {self.found}")
        if self.nearest:
            lines.append(f"  did you mean `{self.nearest}`?")
        if self.text.strip() and self.column:
            lines += _caret(self.text, self.column)
        return "\n".join(lines)

    def _place(self) -> str:
        parts = [self.file] if self.file else []
        if self.line:
            parts += [str(self.line), str(self.column)]
        return ":".join(parts) + ": " if parts else ""

    def _label(self) -> str:
        return f"{self.code} warning:" if self.severity == "warning" else self.code


def _caret(source_line: str, column: int) -> list[str]:
    """The line and a caret under its column (from 1); a long line is cut to what surrounds the caret."""
    start = max(0, column - 60)
    shown = source_line[start : start + 110].replace("\t", " ")
    return [f"    {shown}", " " * (4 + column - 1 - start) + "^"]


class SegueError(Exception):
    """Whatever Segue refuses to do: a stable code, a message, and a hint at what to do about it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.code} {self.message}" + (f"\n  {self.hint}" if self.hint else "")


class DefinitionErrors(SegueError):
    """The definitions are wrong: all problems of all files, in the order of the files."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, f"{len(self.problems)} problem(s) in the definitions")

    def __str__(self) -> str:
        return "\n".join(problem.render() for problem in self.problems)

    def __reduce__(self) -> tuple[type["DefinitionErrors"], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class CallError(SegueError):
    """The call is wrong: an option, a selector, an instant."""

    exit_code = 2


class NothingSelected(SegueError):
    """A selection is empty."""

    exit_code = 3


class GateClosed(SegueError):
    """A gate is closed: consent is stale, publishing is blocked."""

    exit_code = 4


class AuditFailed(SegueError):
    """What was staged did not pass its audit; nothing was published."""

    exit_code = 1


class SourceChanged(SegueError):
    """A file that was read before has changed or shrunk, or a topic has lost records."""

    exit_code = 1


class JobFailed(SegueError):
    """The job itself failed."""

    exit_code = 1


class TryAgain(SegueError):
    """Something outside was busy; the same call may succeed later."""

    exit_code = 75


class Stopped(SegueError):
    """Stopped by a signal, with nothing lost."""

    exit_code = 130
