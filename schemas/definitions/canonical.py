"""The meaning of a value as JSON that is the same for equal meanings, and its hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import BaseModel


def canonical(value: Any) -> Any:
    """Turn models, frozen dataclasses, decimals and collections into JSON, with the class beside the fields.

    A model with a method `meaning` says its own. Fields of a dataclass that do not take part in its equality (a text
    as written) are left out.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [canonical(part) for part in value]
    if isinstance(value, BaseModel):
        meaning = getattr(value, "meaning", None)
        return meaning() if callable(meaning) else {"is": type(value).__name__, **fields_of(value)}
    if isinstance(value, Mapping):
        return {str(key): canonical(part) for key, part in value.items()}
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, set | frozenset):
        return sorted((canonical(part) for part in value), key=json.dumps)
    if is_dataclass(value) and not isinstance(value, type):
        said = {name: canonical(getattr(value, name)) for name in _compared(type(value))}
        return {"is": type(value).__name__, **said}
    raise TypeError(f"{type(value).__name__} has no canonical form")


@lru_cache(maxsize=1_000)
def _compared(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that take part in its equality."""
    return tuple(field.name for field in fields(kind) if field.compare)


def fields_of(model: BaseModel) -> dict[str, Any]:
    """The fields of a model in canonical form; what is at its default means the same as what is not said."""
    said = {name: (getattr(model, name), field) for name, field in type(model).model_fields.items()}
    return {
        name: canonical(part) for name, (part, field) in said.items() if field.is_required() or part != field.default
    }


def digest(value: Any) -> str:
    """The SHA-256 of a value's canonical form, as 64 hexadecimal digits."""
    return digest_json(canonical(value))


def digest_json(value: Any) -> str:
    """The SHA-256 of what is in canonical form already."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _number(value: Decimal) -> int | str:
    """Equal numbers look equal: 3, 3.0 and 3.00 are one constant."""
    if value == value.to_integral_value():
        return int(value)
    return format(value, "f").rstrip("0")
