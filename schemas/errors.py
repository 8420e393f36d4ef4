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

CODES: dict[str, str] = {
    # reading YAML
    "SEG-0001": "a file that can not be read",
    "SEG-0002": "a file over 1 MB",
    "SEG-0003": "text that is not YAML",
    "SEG-0004": "nesting deeper than 32 levels",
    "SEG-0005": "the same key twice in one mapping",
    "SEG-0006": "an anchor or an alias",
    "SEG-0007": "a tag",
    "SEG-0008": "a merge key `<<`",
    "SEG-0009": "a key that is not text",
    "SEG-0010": "more than one document, or none, in a file",
    "SEG-0011": "a file that is not UTF-8",
    # the form of a definition
    "SEG-0100": "a value that is not what its key takes",
    "SEG-0101": "a key that is missing",
    "SEG-0102": "a key that is not known",
    "SEG-0103": "a value of another type",
    "SEG-0104": "a name that is not [a-z][a-z0-9_]*",
    "SEG-0105": "a node that is not a mapping of one key",
    "SEG-0106": "an operator that is not known",
    "SEG-0107": "an aggregate operation that is not known",
    "SEG-0108": "`missing` on something that is never unknown",
    "SEG-0109": "a duration that can not be read",
    "SEG-0110": "an instant that can not be read",
    "SEG-0111": "a time zone that is not known",
    "SEG-0112": "a window that can not be read",
    "SEG-0113": "a data type that can not be read",
    "SEG-0114": "an event reference that can not be read",
    "SEG-0115": "a list that is empty or holds something twice",
    "SEG-0116": "a number outside its range",
    "SEG-0117": "a feature window that needs `as:`",
    "SEG-0118": "a definition that costs too much",
    # expressions and comparisons
    "SEG-0200": "an expression that can not be read",
    "SEG-0201": "something that is not allowed in an expression",
    "SEG-0202": "a function that is not known",
    "SEG-0203": "an expression that is too long or too deep",
    "SEG-0204": "an expression that is not a condition",
    "SEG-0205": "a comparison of different types",
    "SEG-0206": "a comparison that can not be read",
    "SEG-0207": "a constant that does not fit its column",
    "SEG-0208": "an aggregate over a type that it does not take",
    "SEG-0209": "an expression that the engine refuses",
    # one definition against the others
    "SEG-0300": "a name that is defined twice",
    "SEG-0301": "a purpose that is not known",
    "SEG-0302": "a segment that is not known",
    "SEG-0303": "a feature that is not known",
    "SEG-0304": "an event property that no source declares",
    "SEG-0305": "a profile property that no source declares",
    "SEG-0306": "segments that refer to each other in a circle",
    "SEG-0307": "a purpose that is not among the segment's own",
    "SEG-0308": "a purpose on consent in a project without consents",
    "SEG-0309": "one property name with two types",
    "SEG-0310": "a property with the name of a built-in column",
    "SEG-0311": "a column that is named twice",
    "SEG-0312": "a source or a table that is not there",
    "SEG-0313": "a profile column whose meaning asks for another type",
    # files and projects
    "SEG-0400": "a folder that is no project",
    "SEG-0401": "a path outside the project",
    "SEG-0402": "a file that does not exist",
    "SEG-0403": "a symbolic link",
    "SEG-0404": "a target that is not known",
    "SEG-0405": "an environment variable that is not set",
    "SEG-0406": "a warehouse address that can not be read",
    "SEG-0407": "a format that is not known",
    "SEG-0408": "fields that a source of this kind does not take or needs",
    "SEG-0409": "a list file without its column",
    "SEG-0410": "a lookup that can not be used",
    "SEG-0411": "a definition in the wrong folder",
    "SEG-0412": "a place from which this version does not read",
    "SEG-0413": "a runner that this version does not have",
    "SEG-0414": "a file whose name is not UTF-8",
    "SEG-0415": "an address of a topic that can not be read",
    "SEG-0416": "an address of a runner that can not be read",
    "SEG-0417": "what a target says of its warehouse and can not be used, or does not say",
    # stories
    "SEG-0500": "a story that can not be read",
    "SEG-0501": "a story's value that is not of its property's type",
    # runs and the warehouse
    "SEG-0600": "a warehouse that this version can not open",
    "SEG-0601": "a warehouse that is not there, or in which nothing was published",
    "SEG-0602": "a warehouse that another process writes to",
    "SEG-0603": "an extension that is not installed",
    "SEG-0604": "a warehouse that could not be written",
    "SEG-0605": "a catalog that is busy",
    "SEG-0606": "a column whose type in the warehouse does not hold the declared one",
    "SEG-0607": "a run that another one has overtaken",
    "SEG-0608": "an artifact that could not be written",
    "SEG-0610": "an audit that failed",
    "SEG-0611": "an expectation that could not be evaluated",
    "SEG-0612": "a query that can not be answered",
    "SEG-0613": "a table that is not there",
    "SEG-0614": "a source of consents that is silent for too long",
    "SEG-0615": "a catalog that is none, or is damaged",
    "SEG-0616": "a file or folder that is closed to this user",
    "SEG-0617": "a file of a table that is gone or damaged",
    "SEG-0618": "a state file that is gone or damaged",
    "SEG-0619": "the job of a stream that ended by itself",
    "SEG-0620": "a runner that did not start",
    "SEG-0621": "a runner that can not be reached",
    "SEG-0622": "workers of another version",
    "SEG-0623": "an order that the process which writes can not carry out",
    "SEG-0624": "more open files than the system allows",
    "SEG-0625": "a disk that fails",
    "SEG-0630": "a cloud that does not let this user in, or for which packages are missing",
    "SEG-0700": "a file that changed after it was read",
    "SEG-0701": "a source that is to be read again and does not reach back",
    "SEG-0702": "records of a topic that are gone, and were not read or were read from another one",
    "SEG-0703": "brokers that do not answer",
    "SEG-0704": "brokers that do not let a topic be read",
    "SEG-0705": "a package that a source needs and that is not installed",
    # warnings
    "SEG-0801": "a pattern that no file matches",
    "SEG-0802": "a property that nothing uses",
    "SEG-0803": "a file that is not read",
    "SEG-0804": "a promise that this version does not keep",
    "SEG-0805": "what is said of late events in a source that can not tell them",
    "SEG-0806": "a condition that is never true, or always",
    "SEG-0807": "a window that is longer than events count",
    "SEG-0808": "a segment that everybody is in who never did anything",
    "SEG-0809": "an event that no source yields",
    "SEG-0810": "a purpose for which events count for ever",
    "SEG-0811": "a definition that keeps or publishes much",
    "SEG-0812": "two names for one meaning",
    "SEG-0813": "a model that no source tells scores of",
    # calls
    "SEG-0900": "a call that can not be understood",
    "SEG-0901": "a selector that is not understood",
    "SEG-0902": "a selection that names nothing known",
    "SEG-0903": "a selection that is empty",
    "SEG-0904": "a T or a K that lies before what was published or read",
    "SEG-0905": "a subject that is not known",
    "SEG-0906": "data of time zones that are wrong",
    "SEG-0907": "a folder that is not free for a new project",
    "SEG-0908": "an example that is not known",
    "SEG-0909": "stories that failed",
    "SEG-0910": "an installation that is broken",
    "SEG-0911": "results of a run that are not there or can not be read",
    "SEG-0912": "a file of subjects and instants that can not be read",
    "SEG-0914": "a plan that can not be read",
    "SEG-0916": "a program that a command needs is not installed",
    "SEG-0917": "metrics that can not be served",
    "SEG-0915": "a plan that the world has left behind",
    "SEG-0913": "a run or a version of a segment that is not in the record",
    "SEG-0918": "a run of this project that is not known here",
    "SEG-0919": "a run that can not be done again as it was",
    "SEG-0920": "a period that can not be backfilled",
    "SEG-0921": "a backfill of what the warehouse's facts do not tell",
    # anywhere
    "SEG-0130": "stopped by a signal",
    "SEG-0999": "a mistake of Segue's own",
}
"""Every stable code and its meaning in one line. A code is never reused."""

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
