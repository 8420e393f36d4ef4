"""What conditions on scores share: a model, what it said last of the subject, and what is asked of it (semantics 5.14)."""

from abc import abstractmethod
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa

from schemas.definitions.comparison import Comparison, Constant
from schemas.definitions.node import Compared, Node
from schemas.definitions.reference import References
from schemas.definitions.takes import takes_text
from schemas.score import ASKED
from transforms.algebra.exact import signs
from transforms.algebra.order import Ints, Steps, turning
from transforms.algebra.truth import judge
from transforms.algebra.view import View


class Scored(Node):
    """A comparison with what a model says of the subject, by the row valid at T; unknown where it says nothing.

    Attributes:
      column: what of the row is compared, `value` or `label`.
    """

    column: ClassVar[str]

    model: Annotated[str, takes_text("a model")]

    @property
    @abstractmethod
    def comparison(self) -> Comparison:
        """What is asked of the column."""

    def references(self) -> References:
        """The model."""
        return References(models=(self.model,))

    def compared(self) -> tuple[Compared, ...]:
        """The column."""
        return (Compared(("score", self.model, self.column), self.comparison),)

    def of_nothing(self) -> frozenset[bool | None]:
        """Events have no part in it."""
        return frozenset((True, False, None))

    def said(self, view: View) -> tuple[Steps, pa.Array, Comparison]:
        """What the model says of each subject, as indices into values, and what that is compared with."""
        return *view.timeline.facts.scores.column(self.model, self.column), self.comparison

    def steps(self, view: View) -> Steps:
        """The comparison is judged once for each distinct value."""
        steps, values, asked = self.said(view)
        comparison = asked.for_type(ASKED[self.column], view.project.timezone)
        missing = np.arange(len(values) + 1) == len(values)

        def sign(constant: Constant) -> Ints:
            return np.append(signs(values, constant) if len(values) else np.empty(0, np.int64), 0)

        truth = judge(comparison.tree, sign, missing)
        return view.of_subjects(turning(steps.who, steps.at, truth[steps.value], truth[steps.initial]))
