"""`score`: the number that a model gives the subject satisfies a comparison (5.14)."""

from pydantic import field_validator

from schemas.definitions.comparison import AnyComparison, Comparison
from schemas.score import ASKED
from transforms.algebra.scored import Scored


class Score(Scored):
    """True at T when the value that the model last gave the subject satisfies the comparison; unknown where it gave none."""

    name = "score"
    column = "value"
    when = "A model says how likely something is, or how much it is worth: leaving, buying again, the next year's spend."
    example = 'score: {model: churn, compare: ">= 0.7"}'
    story = """
    name: likely to leave from the day on that the model says so
    events: [[0d, visit]]
    scores: [[0d, {model: churn, value: 0.2}], [7d, {model: churn, value: 0.8}]]
    expect: [{at: 0d, member: false}, {at: 6d, member: false}, {at: 7d, member: true}, {at: 400d, member: true}]
    """

    compare: AnyComparison

    @field_validator("compare")
    @classmethod
    def _is_of_numbers(cls, comparison: Comparison) -> Comparison:
        comparison.check(ASKED["value"])
        return comparison

    @property
    def comparison(self) -> Comparison:
        """What is asked of the value."""
        return self.compare


OPERATOR = Score
