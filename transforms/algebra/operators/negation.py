"""`not`: true where the child is false; unknown stays unknown."""

from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.definitions.node import AnyNode, Node
from transforms.algebra.pending import Truth, remap
from transforms.algebra.truth import OPPOSITE
from transforms.algebra.view import View


class Not(Node):
    """True at T when the node is false; unknown where it is unknown."""

    name = "not"
    when = "Somebody is to be left out: who has the offer already, who is on a list, who is in another segment."
    example = """
    not: {property: {plan: "= 'premium'", missing: false}}
    """
    story = """
    name: who never told a plan has no premium one, until it is bought
    profile: [[5d, {plan: premium}]]
    events: [[0d, visit]]
    expect: [{at: 1d, member: true}, {at: 5d, member: false}]
    """

    node: AnyNode

    @model_validator(mode="before")
    @classmethod
    def _from_a_node(cls, value: Any) -> Any:
        return {"node": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The node itself."""
        node: JsonSchemaValue = handler(core)["properties"]["node"]
        return node

    @property
    def children(self) -> tuple[Node, ...]:
        """The one node."""
        return (self.node,)

    def steps(self, view: View) -> Truth:
        """The opposite."""
        return remap(view.steps(self.node), OPPOSITE)


OPERATOR = Not
