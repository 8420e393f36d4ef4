"""What is known of a set of subjects."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from transforms.algebra.epochs import Grounds
from transforms.algebra.folded import Folded
from transforms.algebra.kin import Kin
from transforms.algebra.ledger import first_permissive
from transforms.algebra.order import FOREVER, Flags, Ints, Steps
from transforms.algebra.profiles import zones
from transforms.algebra.relations import Relations
from transforms.algebra.scores import Scores
from transforms.algebra.sharing import shared


@dataclass(frozen=True)
class Facts:
    """The facts of subjects that are numbered densely, in the order of `subjects`.

    Attributes:
      subjects: the ids.
      who, at, columns: a row an event, in event order (2.5) within each subject; `columns` is its projection.
      grounds: the ledger and the profiles.
      names: `event_id` and `source` of each event.
      scores: what models say.
      relations: who of the subjects are one for a while; None where no link names any of them.
      folded: what stands for events that the state has forgotten; None where it has forgotten nothing.
    """

    subjects: pa.Array
    who: Ints
    at: Ints
    columns: pa.Table
    grounds: Grounds
    names: pa.Table
    scores: Scores
    relations: Relations | None = None
    folded: Folded | None = None
    _flags: dict[str, Flags] = field(default_factory=dict)

    def flags(self, predicate: str) -> Flags:
        """The predicate's truth for each event."""
        if predicate not in self._flags:
            self._flags[predicate] = self.columns[predicate].to_numpy()
        return self._flags[predicate]

    @property
    def kin(self) -> Kin | None:
        """Who of the subjects are one for a while."""
        return None if self.relations is None else self.relations.kin

    @property
    def ids_judged(self) -> Ints:
        """The subject of each that is judged."""
        own = np.arange(len(self.subjects))
        return own if self.kin is None else np.concatenate((own, self.kin.who))

    def numbered_at(self, at: int) -> Ints:
        """The number under which each subject is judged at an instant."""
        return np.arange(len(self.subjects)) if self.kin is None else self.kin.numbered_at(at)

    def roots_at(self, at: int) -> Ints:
        """Whose data those of each subject are at an instant: its own, unless it is merged."""
        own = np.arange(len(self.subjects))
        return own if self.kin is None else self.kin.forest.root(own, np.full(len(own), at))

    def next_kin(self, at: int) -> Ints:
        """The next instant at which each subject belongs to others, or with others, than at `at`."""
        following = np.full(len(self.subjects), FOREVER)
        if self.kin is not None:
            who, turns = self.kin.forest.tree[:2]
            np.minimum.at(following, who[turns > at], turns[turns > at])
        return following

    @cached_property
    def judged(self) -> Grounds:
        """What verdicts rest on: of the subjects and, behind them, of the entries of `kin`."""
        return self.grounds if self.kin is None else shared(self.grounds, self.kin)

    @cached_property
    def first_fact_at(self) -> Ints:
        """When each subject was first known of (3.3), or the end of time."""
        first = first_permissive(self.grounds.ledger)
        profiles = self.grounds.profiles
        np.minimum.at(first, profiles.who, profiles.at)
        np.minimum.at(first, self.who, self.at)
        return first if self.relations is None else np.minimum(first, self.relations.linked_at)

    @cached_property
    def zones(self) -> tuple[tuple[str, ...], Steps]:
        """The names of the subjects' zones, and the index of each subject's own over T."""
        return zones(self.grounds.profiles.column("timezone"), self.grounds.project.timezone)
