"""What is known of a set of subjects."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from transforms.algebra.epochs import Grounds
from transforms.algebra.ledger import first_permissive
from transforms.algebra.order import Flags, Ints, Steps
from transforms.algebra.profiles import zones
from transforms.algebra.scores import Scores


@dataclass(frozen=True)
class Facts:
    """The facts of subjects that are numbered densely, in the order of `subjects`.

    Attributes:
      subjects: the ids.
      who, at, columns: a row an event, in event order (2.5) within each subject; `columns` is its projection.
      grounds: the ledger and the profiles.
      scores: what models say.
    """

    subjects: pa.Array
    who: Ints
    at: Ints
    columns: pa.Table
    grounds: Grounds
    scores: Scores
    _flags: dict[str, Flags] = field(default_factory=dict)

    def flags(self, predicate: str) -> Flags:
        """The predicate's truth for each event."""
        if predicate not in self._flags:
            self._flags[predicate] = self.columns[predicate].to_numpy()
        return self._flags[predicate]

    @cached_property
    def first_fact_at(self) -> Ints:
        """When each subject was first known of (3.3), or the end of time."""
        first = first_permissive(self.grounds.ledger)
        profiles = self.grounds.profiles
        np.minimum.at(first, profiles.who, profiles.at)
        np.minimum.at(first, self.who, self.at)
        return first

    @cached_property
    def zones(self) -> tuple[tuple[str, ...], Steps]:
        """The names of the subjects' zones, and the index of each subject's own over T."""
        return zones(self.grounds.profiles.column("timezone"), self.grounds.project.timezone)
