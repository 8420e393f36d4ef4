"""Strict YAML with positions: plain mappings, lists and scalars, and where in the file each of them stands.

Built from the parser's events, not from its objects, so that depth is bounded before anything recurses and that
anchors, aliases, tags, merge keys and duplicate keys are seen and refused. `NO`, `012` and `12:30:45` stay text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from schemas.definitions.refusal import show
from schemas.errors import Problem

LARGEST = 1_000_000
DEEPEST = 32
_OF_ADDRESSES = ("SEG-0406", "SEG-0413", "SEG-0600")
"""Problems of a target: their line may hold a password."""
Path = tuple[str | int, ...]
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,37})")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,37})\.[0-9]{1,38}")


class Mark(NamedTuple):
    """Where a value stands, and its key. Lines and columns count from 1.

    `text_at` is the column of the first character of a scalar's text, or 0 where columns of the text and of the file
    do not correspond.
    """

    line: int
    column: int
    key_line: int
    key_column: int
    text_at: int


Place = tuple[int, int, int, int, int]
"""A mark as it is kept: a plain tuple, which the garbage collector soon leaves alone, for there are many."""


@dataclass(frozen=True)
class Document:
    """One file: its data, and the marks of everything in it.

    Attributes:
      file: the path for messages, relative to the project.
      data: mappings, lists, text, int, Decimal, bool and None.
      marks: of every value, by the keys and indexes that lead to it.
      lines: of the text, without their ends.
    """

    file: str
    data: Any
    marks: Mapping[Path, Place] = field(repr=False)
    lines: tuple[str, ...] = field(repr=False)

    def problem(self, code: str, message: str, path: Path = (), *, of_key: bool = False, **more: Any) -> Problem:
        """A problem at a path of this file, or at the nearest one above it that is there.

        Args:
          of_key: at the key rather than at its value.
          more: `expected`, `found`, `nearest`, `severity`, and `offset` within the text of the value.
        """
        offset = more.pop("offset", None)
        while path not in self.marks and path:
            path, of_key, offset = path[:-1], False, None
        mark = Mark(*self.marks.get(path, (0, 0, 0, 0, 0)))
        line, column = (mark.key_line, mark.key_column) if of_key else (mark.line, mark.column)
        if offset is not None and mark.text_at and not of_key:
            column = mark.text_at + offset
        text = self.lines[line - 1] if 0 < line <= len(self.lines) and code not in _OF_ADDRESSES else ""
        return Problem(code, message, file=self.file, line=line, column=column, text=text, **more)

    def at(self, path: Path) -> Any:
        """The value at a path that is there."""
        value = self.data
        for step in path:
            value = value[step]
        return value


def find(value: Any, text: str, path: Path = ()) -> Path | None:
    """The path of the first key or text that is just this text: the value's own, which is `path`, or one below it."""
    open_parts: list[tuple[Path, Any]] = [(path, value)]
    while open_parts:
        path, part = open_parts.pop()
        if isinstance(part, str) and part == text:
            return path
        if isinstance(part, dict):
            if text in part:
                return (*path, text)
            open_parts += [((*path, key), below) for key, below in reversed(part.items())]
        elif isinstance(part, list):
            open_parts += [((*path, index), below) for index, below in reversed(list(enumerate(part)))]
    return None


def read_yaml(content: bytes, file: str) -> tuple[Document | None, list[Problem]]:
    """Read one file. Where anything is wrong, the problems say it, and the document holds what could be read."""
    if len(content) > LARGEST:
        found = f"{len(content)} bytes"
        return None, [Problem("SEG-0002", "the file is too large", file, expected="at most 1 MB", found=found)]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return None, [Problem("SEG-0011", "the file is not UTF-8", file, line, 1, expected="UTF-8")]
    builder = _Builder(text, file)
    return builder.document(), builder.problems


class _TooDeep(Exception):
    """Nesting beyond the limit."""


class _Builder:
    """Builds data and marks from events, one document's worth."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.problems: list[Problem] = []
        self.marks: dict[Path, Place] = {}

    def document(self) -> Document | None:
        """The document, or nothing where it is broken; the problems say why."""
        try:
            data = self._only_document()
        except _TooDeep:
            return None
        except yaml.YAMLError as error:
            self.problems.append(self._syntax_problem(error))
            return None
        except ValueError:
            self.problems.append(Problem("SEG-0003", "the file holds characters that are none", self.file))
            return None
        return Document(self.file, data, self.marks, tuple(self.text.splitlines()))

    def _only_document(self) -> Any:
        self.events: Iterator[Any] = yaml.parse(self.text, Loader=yaml.CSafeLoader)
        next(self.events)
        first = next(self.events)
        if not isinstance(first, DocumentStartEvent):
            self.problems.append(Problem("SEG-0010", "the file is empty", self.file, expected="a mapping"))
            return None
        data = self._value(next(self.events), (), None, 1)
        next(self.events)
        if isinstance(more := next(self.events), DocumentStartEvent):
            self._refuse("SEG-0010", "a second document", more, expected="one document a file")
        return data

    def _value(self, event: Any, path: Path, key: Any, depth: int) -> Any:
        """The value that begins with an event; `key` is the event of its key."""
        self.marks[path] = _mark(event, key)
        if isinstance(event, AliasEvent):
            self._refuse("SEG-0006", "an alias", event, expected="the value itself", found=f"*{show(event.anchor)}")
            return None
        if event.anchor is not None:
            self._refuse("SEG-0006", "an anchor", event, expected="no anchor", found=f"&{show(event.anchor)}")
        if event.tag is not None:
            self._refuse("SEG-0007", "a tag", event, expected="no tag", found=show(event.tag))
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if depth > DEEPEST:
            self._refuse("SEG-0004", "nested too deeply", event, expected=f"at most {DEEPEST} levels")
            raise _TooDeep
        if isinstance(event, SequenceStartEvent):
            return self._list(path, depth)
        return self._mapping(path, depth)

    def _list(self, path: Path, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            values.append(self._value(event, (*path, len(values)), None, depth + 1))
        return values

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(key := next(self.events), MappingEndEvent):
            name = self._key(key, path, depth)
            refused = name is None or name in values
            below = (*path, "\x00refused") if refused else (*path, str(name))
            if name in values:
                self._refuse("SEG-0005", f"the key `{show(name)}` is here twice", key, expected="each key once")
            value = self._value(next(self.events), below, key, depth + 1)
            if not refused:
                values[str(name)] = value
        return values

    def _key(self, event: Any, path: Path, depth: int) -> str | None:
        """The text of a key, or None where it is refused. A key that is no scalar is read and left out."""
        if not isinstance(event, ScalarEvent):
            self._refuse("SEG-0009", "a key that is not text", event, expected="text")
            self._value(event, (*path, "\x00refused"), None, depth + 1)
            return None
        if event.anchor is not None or event.tag is not None:
            self._value(event, (*path, "\x00refused"), None, depth + 1)
        if event.value == "<<":
            self._refuse("SEG-0008", "a merge key", event, expected="the keys themselves", found="<<")
            return None
        return str(event.value)

    def _refuse(self, code: str, message: str, event: Any, **more: Any) -> None:
        self.problems.append(self._problem(code, message, event.start_mark, **more))

    def _problem(self, code: str, message: str, mark: Any, **more: Any) -> Problem:
        lines = self.text.splitlines()
        text = lines[mark.line] if mark.line < len(lines) else ""
        return Problem(code, message, self.file, mark.line + 1, mark.column + 1, text=text, **more)

    def _syntax_problem(self, error: yaml.YAMLError) -> Problem:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it can not be read"
        message = f"this is not YAML: {show(what)}"
        return self._problem("SEG-0003", message, mark) if mark else Problem("SEG-0003", message, self.file)


def _mark(event: Any, key: Any) -> Place:
    start, end = event.start_mark, event.end_mark
    above = key.start_mark if key is not None else start
    line, column, text_at = start.line, start.column, 0
    if type(event) is ScalarEvent and line == end.line and event.style not in ("|", ">"):
        quote = 1 if event.style in ("'", '"') else 0
        same_length = end.column - column == len(event.value) + 2 * quote
        text_at = column + 1 + quote if same_length else 0
    return line + 1, column + 1, above.line + 1, above.column + 1, text_at


def _scalar(event: ScalarEvent) -> Any:
    """Text, but for plain scalars that are null, a boolean or a number in the one way each is written."""
    text = str(event.value)
    if not event.implicit[0] or len(text) > 80:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
