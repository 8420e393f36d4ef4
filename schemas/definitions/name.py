"""Names of definitions: [a-z][a-z0-9_]*, at most 63 letters."""

import re
from typing import Annotated, Any

from pydantic import PlainValidator

from schemas.definitions.refusal import refuse, show
from schemas.definitions.takes import takes_text

_FORM = re.compile(r"[a-z][a-z0-9_]{0,62}")


def parse_name(value: Any) -> str:
    """The name as it stands. Raises ValueError where it is none."""
    if not isinstance(value, str) or not is_name(value):
        proposal = _proposal(value) if isinstance(value, str) else ""
        expected = "[a-z][a-z0-9_]*, at most 63 letters"
        raise refuse("SEG-0104", "no such name", expected=expected, found=show(value), nearest=proposal)
    return value


def is_name(text: str) -> bool:
    """Whether a definition may be called so."""
    return _FORM.fullmatch(text) is not None


def _proposal(text: str) -> str:
    """The name that was perhaps meant: lower case, other letters as underscores."""
    name = re.sub(r"[^a-z0-9]+", "_", text[:63].lower()).strip("_")
    return name if is_name(name) else ""


Name = Annotated[str, PlainValidator(parse_name), takes_text("a name", "^[a-z][a-z0-9_]{0,62}$")]
"""A field that holds a name."""
