"""What a field takes: a few words for the reference, and a JSON Schema for editors."""

from collections.abc import Mapping
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

SHARED = "shared"
"""Stands for a schema by its name: those of nodes, windows and aggregates are known only with the language."""


class Takes:
    """Marks a field with what it takes: in words, and as a form where its validator does not tell the form."""

    def __init__(self, words: str, form: Mapping[str, Any] | None = None) -> None:
        self.words, self.form = words, form

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The form, with the words as its title."""
        form = handler(core) if self.form is None else self.form
        return {**form, "title": self.words}


def takes_text(words: str, pattern: str = "") -> Takes:
    """A field that holds text, of a pattern if there is one; patterns mean the same to Python and to ECMAScript."""
    return Takes(words, {"type": "string", **({"pattern": pattern} if pattern else {"minLength": 1})})


def shared(words: str, name: str) -> Takes:
    """A field that holds a node, a window or an aggregate."""
    return Takes(words, {SHARED: name})
