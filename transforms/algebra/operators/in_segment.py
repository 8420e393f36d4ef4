"""`in_segment`: the other segment's answer at (T, K) (5.18)."""

from typing import Any

from pydantic import model_validator

from schemas.definitions.node import Node
from schemas.definitions.reference import References
from transforms.algebra.order import Steps
from transforms.algebra.view import View


class InSegment(Node):
    """True at T when the subject is a member of the other segment, its population and consent included."""

    name = "in_segment"
    can_be_unknown = False

    segment: str

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"segment": value}

    def references(self) -> References:
        """The other segment."""
        return References(segments=(self.segment,))

    def steps(self, view: View) -> Steps:
        """The answer of the subject, within each stint."""
        return view.of_subjects(view.answers[self.segment])


OPERATOR = InSegment
