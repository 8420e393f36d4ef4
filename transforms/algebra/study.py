"""Some subjects of a state, and what is computed about them: each is looked at once in a step."""

from dataclasses import dataclass

import numpy as np

from transforms.algebra.absorb import flags
from transforms.algebra.belief import Belief, keyed
from transforms.algebra.evaluate import Evaluation, evaluate, view_of
from transforms.algebra.facts import Facts
from transforms.algebra.order import Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, facts_of
from transforms.algebra.view import View


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
        """Look at the subjects of these numbers and who may be one with them; `answered`: whether segments are evaluated, too."""
        who = np.flatnonzero(state.related(flags(state.count, who)))
        facts = facts_of(state, who, moment.known_at, program.project)
        return cls(who, facts, evaluate(program.project, facts, None if answered else ()))

    def view(self, purposes: tuple[str, ...]) -> View:
        """What is seen of the subjects for a set of purposes."""
        return view_of(self.evaluation.views, purposes, self.facts, self.evaluation.answers)

    def belief(self, program: Program) -> Belief:
        """The answers as transitions."""
        parts = []
        for place, name in enumerate(program.segments):
            steps = self.evaluation.answers[name]
            parts.append((keyed(place, self.who[steps.who]), steps.at, steps.value.astype(np.bool_)))
        if not parts:
            return Belief(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))
        return Belief(*(np.concatenate(column) for column in zip(*parts, strict=True)))
