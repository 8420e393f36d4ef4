"""What is known of a set of subjects."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from transforms.algebra.claims import codes, ints
from transforms.algebra.order import FOREVER, Ints, Steps
from transforms.algebra.profiles import Profiles, zones


@dataclass(frozen=True)
class Facts:
    """The facts of subjects that are numbered densely, in the order of `subjects`.

    Attributes:
      subjects: the ids.
      who, at, columns: a row an event, in event order (2.5) within each subject; `columns` is its projection.
      profiles: the rows of `profile.SCHEMA`.
      consents: the rows of `consent.SCHEMA`.
      permitted_at: when each subject's first permissive consent row takes effect, or the end of time.
      timezone: the project's, for subjects that name none.
    """

    subjects: pa.Array
    who: Ints
    at: Ints
    columns: pa.Table
    profiles: pa.Table
    consents: pa.Table
    permitted_at: Ints
    timezone: str

    @cached_property
    def known(self) -> Profiles:
        """The profiles as functions of T."""
        return Profiles(self.profiles, self.subjects)

    @cached_property
    def zones(self) -> tuple[tuple[str, ...], Steps]:
        """The names of the subjects' zones, and the index of each subject's own over T."""
        return zones(self.known.column("timezone"), self.timezone)

    @cached_property
    def first_fact_at(self) -> Ints:
        """When each subject was first known of (3.3)."""
        first = np.minimum(self.permitted_at, self._first_profile_at)
        np.minimum.at(first, self.who, self.at)
        return first

    @property
    def _first_profile_at(self) -> Ints:
        first = np.full(len(self.subjects), FOREVER)
        who = codes(self.profiles["subject"], self.subjects)
        np.minimum.at(first, who, ints(self.profiles["valid_from"], FOREVER))
        return first
