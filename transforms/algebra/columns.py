"""How the columns of the kernel are called: predicates by their meaning, values by their property."""

from functools import lru_cache

from schemas.definitions.canonical import digest
from schemas.definitions.reference import EventReference


@lru_cache(maxsize=100_000)
def predicate_name(reference: EventReference) -> str:
    """The boolean column that tells whether an event is meant."""
    return f"p_{digest(reference)[:16]}"


def value_name(column: str) -> str:
    """The column that holds a property's values."""
    return f"v_{column}"
