"""From pydantic's errors to problems with a code, a place in the file, and the nearest name."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from schemas.definitions.refusal import listed, nearest_to, show
from schemas.definitions.yaml import Document, Path
from schemas.errors import Problem

Form = TypeVar("Form", bound=BaseModel)
_OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of")
_OUT_OF_LENGTH = ("too_short", "too_long", "string_too_short", "string_too_long")
_EXPECTATION = re.compile(r"^Input should (?:be|have) (?:a valid )?")
_WORDS = {"dictionary": "a mapping", "instance of": "a mapping", "string": "text", "tuple": "a list", "list": "a list"}


def read_form(form: type[Form], document: Document, context: Mapping[str, Any], problems: list[Problem]) -> Form | None:
    """Validate a document by a form; what is wrong goes to `problems`, all of it."""
    if not isinstance(document.data, dict):
        found = show(document.data)
        problems.append(document.problem("SEG-0103", "the file is no mapping", expected="keys and values", found=found))
        return None
    try:
        return form.model_validate(document.data, context=dict(context))
    except ValidationError as error:
        problems += problems_of(error, document, context)
        return None


def problems_of(error: ValidationError, document: Document, context: Mapping[str, Any]) -> list[Problem]:
    """One problem for each error of a validation, in the order of the file."""
    notes = list(context.get("unknown_keys", ()))
    errors = error.errors(include_url=False)
    found = [_problem(each, document, notes) for each in errors if not _follows(each, errors)]
    return sorted(found, key=lambda problem: (problem.line, problem.column))


def refused(error: ValueError, document: Document, path: Path, of_key: bool = False) -> Problem:
    """The problem that an error raised outside of a validation stands for, at a place of a file."""
    if not isinstance(error, PydanticCustomError):
        return document.problem("SEG-0100", str(error), path, of_key=of_key)
    details = error.context or {}
    return document.problem(error.type, details.get("message", error.message()), path, of_key=of_key, **_told(details))


def _told(details: Mapping[str, Any]) -> dict[str, Any]:
    known = ("expected", "found", "nearest", "offset")
    return {key: details[key] for key in known if details.get(key) not in ("", None)}


def _problem(error: Mapping[str, Any], document: Document, notes: list[Any]) -> Problem:
    kind, details = str(error["type"]), error.get("ctx") or {}
    path, rest = _in_document(error["loc"], document.data)
    if kind.startswith("SEG-"):
        return document.problem(kind, details["message"], path, of_key=kind == "SEG-0106", **_told(details))
    translate = _TRANSLATIONS.get(kind)
    if translate is not None:
        return translate(document, path, rest, notes)
    return _of_pydantic(kind, error, details, document, path)


def _of_pydantic(
    kind: str, error: Mapping[str, Any], details: Mapping[str, Any], document: Document, path: Path
) -> Problem:
    if kind in ("value_error", "assertion_error"):
        return document.problem("SEG-0100", str(details.get("error", error["msg"])), path)
    expected = _expectation(str(error["msg"]))
    found = show(document.at(path))
    if kind in _OUT_OF_RANGE:
        return document.problem("SEG-0116", "the number is out of range", path, expected=expected, found=found)
    if kind in _OUT_OF_LENGTH:
        expected = (
            f"at least {details['min_length']}" if "min_length" in details else f"at most {details['max_length']}"
        )
        return document.problem("SEG-0115", "too few or too many", path, expected=expected)
    nearest = nearest_to(document.at(path), re.findall(r"'([^']*)'", expected))
    return document.problem(
        "SEG-0103", "another value is wanted here", path, expected=expected, found=found, nearest=nearest
    )


def _missing(document: Document, path: Path, rest: Path, notes: list[Any]) -> Problem:
    key = str(rest[-1]) if rest else "a value"
    return document.problem("SEG-0101", f"`{key}` is missing", path, expected=f"{key}: …")


def _unknown_key(document: Document, path: Path, rest: Path, notes: list[Any]) -> Problem:
    key = path[-1] if path else ""
    known = _known_keys(document.at(path[:-1]), key, notes)
    left = known - set(document.at(path[:-1]))
    nearest = nearest_to(key, left) or nearest_to(key, known)
    found = show(key)
    return document.problem(
        "SEG-0102", f"the key `{found}` is not known here", path, of_key=True, expected=listed(known), nearest=nearest
    )


_TRANSLATIONS: dict[str, Callable[[Document, Path, Path, list[Any]], Problem]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
}


def _known_keys(mapping: Any, key: object, notes: Iterable[tuple[Any, frozenset[str]]]) -> frozenset[str]:
    """What the form of a mapping takes: by the very mapping, else by the first in which the key was not known."""
    for noted, known in notes:
        if noted is mapping:
            return known
    return next((known for noted, known in notes if key in noted and key not in known), frozenset())


def _follows(error: Mapping[str, Any], errors: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a list is only too short because items of it were refused, which is told already."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(o["loc"]) > len(loc) and o["loc"][: len(loc)] == loc for o in errors
    )


def _in_document(loc: Iterable[Any], data: Any) -> tuple[Path, Path]:
    """The path in the file of pydantic's path, which also names fields that the file does not have, and the rest."""
    path: list[str | int] = []
    rest: list[str | int] = []
    for step in loc:
        if _holds(data, step):
            data = data[step]
            path.append(step)
            rest = []
        else:
            rest.append(step)
    return tuple(path), tuple(rest)


def _holds(data: Any, step: Any) -> bool:
    if isinstance(data, dict):
        return isinstance(step, str) and step in data
    return isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data)


def _expectation(message: str) -> str:
    text = _EXPECTATION.sub("", message).split(", unable")[0]
    return next((word for start, word in _WORDS.items() if text.startswith(start)), text)
