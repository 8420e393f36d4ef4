"""The class of every form of a definition: frozen, and an unknown key is an error that knows the known ones."""

from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator


class Strict(BaseModel):
    """A form that takes its own keys and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _note_unknown_keys(cls, value: Any, info: ValidationInfo) -> Any:
        """Leave the refusal to pydantic, which goes on to find the other problems; note what would have been known."""
        if isinstance(value, dict) and not value.keys() <= keys_of(cls):
            notes = (info.context or {}).get("unknown_keys")
            if notes is not None:
                notes.append((value, keys_of(cls)))
        return value


@lru_cache(maxsize=1_000)
def keys_of(form: type[BaseModel]) -> frozenset[str]:
    """The keys that a form takes, as they are written."""
    return frozenset(field.alias or name for name, field in form.model_fields.items())
