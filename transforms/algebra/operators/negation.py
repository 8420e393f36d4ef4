"""`not`: true where the child is false; unknown stays unknown."""

from typing import Any

from pydantic import model_validator

from schemas.definitions.node import AnyNode, Node
from transforms.algebra.gates import remap
from transforms.algebra.order import Steps
from transforms.algebra.truth import OPPOSITE
from transforms.algebra.view import View


class Not(Node):
    """Kleene's negation of one node."""

    name = "not"

    node: AnyNode

    @model_validator(mode="before")
    @classmethod
    def _from_a_node(cls, value: Any) -> Any:
        return {"node": value}

    @property
    def children(self) -> tuple[Node, ...]:
        """The one node."""
        return (self.node,)

    def steps(self, view: View) -> Steps:
        """The opposite."""
        return remap(view.steps(self.node), OPPOSITE)


OPERATOR = Not
