"""`all`: true where every child is."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from schemas.definitions.node import AnyNode, Node
from schemas.definitions.refusal import refuse, show
from transforms.algebra.gates import every
from transforms.algebra.order import Steps
from transforms.algebra.view import View


class All(Node):
    """Kleene's conjunction of a list of nodes."""

    name = "all"

    nodes: Annotated[tuple[AnyNode, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _from_a_list(cls, value: Any) -> Any:
        if not isinstance(value, list):
            raise refuse("SEG-0103", f"`{cls.name}` takes a list of nodes", expected="a list", found=show(value))
        return {"nodes": value}

    @property
    def children(self) -> tuple[Node, ...]:
        """The list."""
        return self.nodes

    def steps(self, view: View) -> Steps:
        """False wins over unknown."""
        return every([view.steps(node) for node in self.nodes])


OPERATOR = All
