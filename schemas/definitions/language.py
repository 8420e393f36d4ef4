"""The language: the operators, the aggregates and the engine's types, handed in from above."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.datatype import DataType
from schemas.definitions.node import Node

TypeOf = Callable[[str, Mapping[str, DataType]], DataType]


@dataclass(frozen=True)
class Language:
    """What definitions may say.

    Attributes:
      operators: by the key that stands for them in YAML.
      aggregates: by their `op`.
      type_of: the type of an SQL expression over typed columns, or a ValueError that says what is wrong with it.
    """

    operators: Mapping[str, type[Node]]
    aggregates: Mapping[str, type[Aggregate]]
    type_of: TypeOf

    def context(self, timezone: str) -> dict[str, Any]:
        """A new context of a validation: the language and the project's zone, and lists in which readers leave notes.

        `origins` tells which mapping each node was read from, `unknown_keys` which keys a mapping might have had.
        """
        return {"language": self, "timezone": timezone, "origins": [], "unknown_keys": []}
