"""What conditions on a model's label share: the names of which it is to be one (semantics 5.14)."""

from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.definitions.comparison import Comparison
from schemas.definitions.condition import Compare, Either
from schemas.definitions.refusal import refuse
from schemas.definitions.takes import Takes
from transforms.algebra.scored import Scored


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names or len(set(names)) < len(names):
        raise refuse("SEG-0115", "no list of names", expected="at least one, each once")
    return tuple(sorted(names))


_NAMES = Takes("a list of names that the model gives")


class Labelled(Scored):
    """A model's label is one of some names."""

    column = "label"

    names: Annotated[tuple[str, ...], AfterValidator(_each_once), Field(alias="in"), _NAMES]

    @property
    def comparison(self) -> Comparison:
        """One of the names."""
        return Comparison(Either(tuple(Compare("=", name) for name in self.names)))
