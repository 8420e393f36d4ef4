"""The lifecycles that segments ask for: what the matrix of phases is about."""

from typing import NamedTuple

from schemas.definitions.canonical import digest
from schemas.definitions.catalog import Project
from schemas.definitions.words import condition_in_words
from transforms.algebra.operators.lifecycle import Lifecycle


class Flow(NamedTuple):
    """One lifecycle of a project.

    Attributes:
      meaning: equal for lifecycles that mean the same, however they are written.
      said: the events and the period in words.
      purposes: for which the events count.
      leaf: asks for any phase of it.
    """

    meaning: str
    said: str
    purposes: tuple[str, ...]
    leaf: Lifecycle

    @property
    def purpose(self) -> str:
        """The purposes as tables have them."""
        return "+".join(self.purposes)


def flows(project: Project) -> tuple[Flow, ...]:
    """The lifecycles that segments ask for, each once, whatever the phases; of those that read the same the first."""
    found: dict[str, Flow] = {}
    for segment in project.segments.values():
        for leaf in segment.when.walk():
            if isinstance(leaf, Lifecycle):
                meaning = digest([leaf.reference, leaf.period, segment.purposes])
                found.setdefault(meaning, Flow(meaning, condition_in_words(leaf, ("phases",)), segment.purposes, leaf))
    told = {(flow.said, flow.purposes): flow for _, flow in sorted(found.items(), reverse=True)}
    return tuple(sorted(told.values(), key=lambda flow: flow.meaning))
