"""How a reader of a definition says no: a code, a message, what was expected and found, and the nearest name."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

FOUND_LENGTH = 60


def refuse(
    code: str, message: str, *, expected: str = "", found: str = "", nearest: str = "", offset: int | None = None
) -> PydanticCustomError:
    """The error to raise inside a validator. It is a ValueError; pydantic adds the path.

    Args:
      code: of `schemas.codes.CODES`.
      offset: where in the text of the value the problem lies, in characters, if that is known.
    """
    details: dict[str, Any] = {"message": message, "expected": expected, "found": found, "nearest": nearest}
    if offset is not None:
        details["offset"] = offset
    return PydanticCustomError(code, "{message}", details)


def refuse_at(errors: Iterable[tuple[tuple[str | int, ...], PydanticCustomError]]) -> ValidationError:
    """The error to raise inside a validator for what is wrong further down, each with its path from there."""
    lines = [InitErrorDetails(type=error, loc=path, input=None) for path, error in errors]
    return ValidationError.from_exception_data("definition", lines)


def nearest_to(name: object, known: Iterable[str]) -> str:
    """The known name that looks most like this one, or nothing."""
    if not isinstance(name, str):
        return ""
    found = difflib.get_close_matches(name[:100].lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def show(value: object) -> str:
    """A value of a definition as one short line of text."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    text = "".join(c if c.isprintable() else "?" for c in text[: FOUND_LENGTH + 1])
    return text if len(text) <= FOUND_LENGTH else text[: FOUND_LENGTH - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """Names for a message, sorted, cut after twenty-five."""
    ordered = sorted(names)
    return ", ".join(ordered[:25]) + (", …" if len(ordered) > 25 else "")
