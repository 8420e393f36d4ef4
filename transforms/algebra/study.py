"""Some subjects of a state, and what is computed about them: each is looked at once in a step."""

from dataclasses import dataclass

from transforms.algebra.evaluate import Evaluation, evaluate
from transforms.algebra.facts import Facts
from transforms.algebra.order import Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, facts_of


@dataclass(frozen=True)
class Study:
    """What is known of some subjects, and what follows.

    Attributes:
      who: their numbers in the state, rising; the facts number them anew.
      facts: what is seen of them at K.
      evaluation: the answers about them, unless only features are asked for, and what features see.
    """

    who: Ints
    facts: Facts
    evaluation: Evaluation

    @classmethod
    def of(cls, program: Program, state: State, who: Ints, moment: Moment, answered: bool) -> "Study":
        """Look at the subjects of these numbers; `answered`: whether segments are evaluated, too."""
        facts = facts_of(state, who, moment.known_at, program.project)
        return cls(who, facts, evaluate(program.project, facts, None if answered else ()))
