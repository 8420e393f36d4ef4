"""`all`: true where every child is."""

from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.definitions.node import AnyNode, Node
from schemas.definitions.refusal import refuse, show
from transforms.algebra.pending import Truth, every
from transforms.algebra.view import View


class All(Node):
    """True at T when every node of the list is; false where any is false, else unknown."""

    name = "all"
    when = "Several things must be true at once; each line narrows the audience further."
    example = """
    all:
    - did: {event: visit, window: 7d}
    - property: {country: "= 'DE'"}
    """
    story = """
    name: a visit alone is not enough while the country is not known
    profile: [[2d, {country: DE}]]
    events: [[0d, visit]]
    expect: [{at: 1d, member: false}, {at: 2d, member: true}, {at: 7d, member: false}]
    """

    nodes: Annotated[tuple[AnyNode, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _from_a_list(cls, value: Any) -> Any:
        if not isinstance(value, list):
            raise refuse("SEG-0103", f"`{cls.name}` takes a list of nodes", expected="a list", found=show(value))
        return {"nodes": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The list itself."""
        nodes: JsonSchemaValue = handler(core)["properties"]["nodes"]
        return nodes

    @property
    def children(self) -> tuple[Node, ...]:
        """The list."""
        return self.nodes

    def steps(self, view: View) -> Truth:
        """False wins over unknown."""
        return every(view.steps(node) for node in self.nodes)


OPERATOR = All
