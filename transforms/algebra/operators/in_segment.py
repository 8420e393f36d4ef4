"""`in_segment`: the other segment's answer at (T, K) (5.18)."""

from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.definitions.node import Node
from schemas.definitions.reference import References
from schemas.definitions.takes import takes_text
from transforms.algebra.order import Steps
from transforms.algebra.view import View


class InSegment(Node):
    """True at T when the subject is a member of the other segment, its population and consent included."""

    name = "in_segment"
    can_be_unknown = False
    when = "Build on a segment that is defined already, so that a change of it is a change everywhere."
    example = "in_segment: customers"
    story = """
    name: customers are who ordered within 365 days
    events: [[0d, visit], [3d, order]]
    expect: [{at: 2d, member: false}, {at: 3d, member: true}, {at: 367d, member: true}, {at: 368d, member: false}]
    """

    segment: Annotated[str, takes_text("a segment")]

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"segment": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The name alone, or under its key."""
        segment = handler(core)["properties"]["segment"]
        mapping = {"type": "object", "properties": {"segment": segment}, "required": ["segment"], "additionalProperties": False}
        return {"anyOf": [segment, mapping]}

    def references(self) -> References:
        """The other segment."""
        return References(segments=(self.segment,))

    def of_nothing(self) -> frozenset[bool | None]:
        """Events have no part in it."""
        return frozenset((True, False))

    def steps(self, view: View) -> Steps:
        """The answer of the subject, within each stint."""
        return view.of_subjects(view.answers[self.segment])


OPERATOR = InSegment
