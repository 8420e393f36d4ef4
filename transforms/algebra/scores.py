"""Scores as step functions: what each model says of a subject at T (semantics 5.14)."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from transforms.algebra.claims import WHO, codes, ints
from transforms.algebra.order import Steps, settle
from transforms.algebra.profiles import MISSING, by_validity, encoded


class ScoreColumn(NamedTuple):
    """What one model says of all subjects: `steps.value` is an index into `values`, MISSING for null or no score."""

    steps: Steps
    values: pa.Array


class Scores:
    """The score rows of so many subjects, by (subject, valid_from, received_at, content); the last of a model wins."""

    def __init__(self, rows: pa.Table, count: int) -> None:
        self.count, self._rows = count, rows
        self._columns: dict[tuple[str, str], ScoreColumn] = {}

    def column(self, model: str, name: str) -> ScoreColumn:
        """The steps of a column of one model's rows. A row replaces the whole of the one before, also by null."""
        if (model, name) not in self._columns:
            self._columns[model, name] = self._of(model, name)
        return self._columns[model, name]

    def _of(self, model: str, name: str) -> ScoreColumn:
        mine = np.flatnonzero(codes(self._rows["model"], (model,)) >= 0)
        who, at = ints(self._rows[WHO], 0), ints(self._rows["valid_from"], 0)
        index = by_validity(self._rows, mine, who)
        code, values = encoded(self._rows[name].take(pa.array(index)))
        return ScoreColumn(settle(who[index], at[index], code, np.full(self.count, MISSING)), values)
