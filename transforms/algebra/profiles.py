"""Profiles as step functions: the value of each column in force at T (semantics 6.2)."""

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.claims import codes, ints, owners
from transforms.algebra.coded import indices, plain, whole
from transforms.algebra.order import Flags, Ints, Steps, constant, firsts, lasts, settle, spread

MISSING = -1


class ProfileColumn(NamedTuple):
    """One column of all subjects' profiles: `steps.value` is an index into `values`, MISSING for null or no profile."""

    steps: Steps
    values: pa.Array


class Profiles:
    """The profile rows of `subjects`, numbered in their order, by (subject, valid_from, received_at, content).

    `declared`: the columns of each source, which its snapshots set to null where they leave them out; all columns, of a
    source that is not named.
    """

    def __init__(
        self, profiles: pa.Table, subjects: pa.Array, declared: Mapping[str, Collection[str]] | None = None
    ) -> None:
        self.count, self._declared = len(subjects), declared or {}
        who = owners(profiles, subjects)
        index = by_validity(profiles, np.flatnonzero(who >= 0), who)
        self.who, self.at = who[index], ints(profiles["valid_from"], 0)[index]
        self._rows = profiles.take(pa.array(index))
        self._snapshot = codes(self._rows["payload"], ("snapshot",)) >= 0

    def lent(self, owners: Ints) -> "Profiles":
        """These profiles, and behind them for each of `owners` its profile once more, as if it were a further subject's."""
        low, high = (np.searchsorted(self.who, owners, side) for side in ("left", "right"))
        borrower, index = spread(low, high)
        index = np.concatenate((np.arange(len(self.who)), index))
        lent = copy(self)
        lent.count, lent._rows = self.count + len(owners), self._rows.take(pa.array(index))
        lent.who, lent.at = np.concatenate((self.who, self.count + borrower)), self.at[index]
        lent._snapshot = self._snapshot[index]
        return lent

    def column(self, name: str) -> ProfileColumn:
        """The steps of one column; of a column that no source declares there are none."""
        if name not in self._rows.column_names:
            return ProfileColumn(constant(np.full(self.count, MISSING)), pa.nulls(0))
        code, values = encoded(self._rows[name])
        others = [source for source, columns in self._declared.items() if name not in columns]
        resets = self._snapshot & (codes(self._rows["source"], others) < 0)
        says = (code != MISSING) | resets | self._nulled(name)
        initial = np.full(self.count, MISSING)
        return ProfileColumn(settle(self.who[says], self.at[says], code[says], initial), values)

    def columns(self, names: Iterable[str]) -> dict[str, ProfileColumn]:
        """The steps of several columns by name."""
        return {name: self.column(name) for name in names}

    def _nulled(self, name: str) -> Flags:
        """Rows that set the column to null in so many words."""
        nulls = whole(self._rows["explicit_nulls"])
        parent, said = np.asarray(pc.list_parent_indices(nulls)), codes(pc.list_flatten(nulls), (name,)) >= 0
        flags = np.zeros(len(self.who), np.bool_)
        flags[parent[said]] = True
        return flags


def by_validity(rows: pa.Table, known: Ints, who: Ints) -> Ints:
    """The places of the rows that are `known`, in their order; the content is looked at only where all else is equal."""
    valid_from, received_at = ints(rows["valid_from"], 0), ints(rows["received_at"], 0)
    index = known[np.lexsort((received_at[known], valid_from[known], who[known]))]
    keys = who[index], valid_from[index], received_at[index]
    tied = ~(firsts(*keys) & lasts(*keys))
    if tied.any():
        twins = index[tied]
        body = rows["record_hash"].take(pa.array(twins)).cast(pa.binary())
        minor = np.asarray(pc.rank(body, tiebreaker="dense")).astype(np.int64)
        index[tied] = twins[np.lexsort((minor, received_at[twins], valid_from[twins], who[twins]))]
    return index


def zones(timezone: ProfileColumn, project: str) -> tuple[tuple[str, ...], Steps]:
    """The names of zones, the project's first, and each subject's own over T as an index; else the project's."""
    names, code = [project], np.zeros(len(timezone.values) + 1, np.int64)  # the last entry stands for MISSING
    for index, name in enumerate(np.asarray(timezone.values)):
        if name != project and is_zone(str(name)):
            code[index] = len(names)
            names.append(str(name))
    steps = timezone.steps
    return tuple(names), settle(steps.who, steps.at, code[steps.value], code[steps.initial])


@lru_cache(maxsize=4096)
def is_zone(name: str) -> bool:
    """Whether the name is an IANA zone's."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def encoded(column: pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """Codes and distinct values; lists, which have no order, keep one value a row."""
    values = whole(column)
    if pa.types.is_nested(values.type):
        valid = np.asarray(values.is_valid()).astype(np.bool_)
        return np.where(valid, np.arange(len(values)), MISSING), values
    coded = values if pa.types.is_dictionary(values.type) else plain(values).dictionary_encode()
    return indices(coded, MISSING), coded.dictionary
