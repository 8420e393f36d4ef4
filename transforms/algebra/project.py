"""The one SELECT that turns events into what the kernel asks of them: a boolean for each predicate, a column for each value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
import pyarrow as pa

from schemas.definitions.catalog import Project
from schemas.definitions.datatype import DataType
from schemas.definitions.expression import quoted
from schemas.definitions.node import event_references
from schemas.definitions.reference import EventReference
from schemas.definitions.segment import ActiveIn
from schemas.definitions.sessions import carried
from transforms.algebra.coded import coded, indices
from transforms.algebra.columns import predicate_name, value_name
from transforms.algebra.engine import connect
from transforms.algebra.order import Flags, Ints
from transforms.in_order import PLACE, in_order

ANY_EVENT = EventReference(None)
_FEW, _MANY = 1 << 8, 1 << 16


@dataclass(frozen=True)
class Projection:
    """What a set of definitions asks of events.

    Attributes:
      references: the events that leaves are about.
      columns: the properties whose values leaves read, and what sessions carry.
    """

    references: tuple[EventReference, ...]
    columns: tuple[str, ...]

    @cached_property
    def predicates(self) -> dict[str, str]:
        """The condition of each predicate column, as SQL over one event."""
        return {predicate_name(reference): condition(reference) for reference in self.references}

    @cached_property
    def select_list(self) -> str:
        """The predicates and values, as the list of a SELECT."""
        flags = [f"{sql} AS {name}" for name, sql in sorted(self.predicates.items())]
        values = [f"{quoted(column)} AS {quoted(value_name(column))}" for column in self.columns]
        return ",\n  ".join(flags + values)

    @property
    def names(self) -> list[str]:
        """The columns of the projection, in order."""
        return sorted(self.predicates) + [value_name(column) for column in self.columns]

    @cached_property
    def reads(self) -> dict[str, frozenset[str]]:
        """The columns that each predicate reads."""
        return {predicate_name(reference): reference.columns | {"event"} for reference in self.references}

    def __call__(self, con: duckdb.DuckDBPyConnection, events: pa.Table) -> pa.Table:
        """Project events of `event.SCHEMA`: the same rows in the same order, the columns `names`; texts are coded.

        What reads but columns of few values is asked once for each combination of them that there is.
        """
        if not self.names:
            return pa.table({"_": pa.nulls(len(events))}).select([])
        columns = {name: coded(events[name]) for name in sorted({*self.columns}.union(*self.reads.values()))}
        few = {name for name, column in columns.items() if _is_few(column)}
        easy = [name for name in self.predicates if self.reads[name] <= few]
        hard = [name for name in self.predicates if name not in easy]
        kind, kinds = _kinds([columns[name] for name in sorted(few)])
        told = self._told(con, events.select(sorted(few)).take(pa.array(kinds)), easy)
        flags = {name: truth[kind] for name, truth in told.items()} | self._told(con, events, hard)
        values = {value_name(name): columns[name] for name in self.columns}
        return pa.table({**flags, **values}).select(self.names)

    def _told(self, con: duckdb.DuckDBPyConnection, rows: pa.Table, predicates: Sequence[str]) -> dict[str, Flags]:
        """The truth of some predicates for each row."""
        if not predicates or not len(rows):
            return {name: np.zeros(len(rows), np.bool_) for name in predicates}
        asked = ", ".join(f"{self.predicates[name]} AS {name}" for name in predicates)
        found = in_order(con, rows, f"SELECT {PLACE}, {asked}\nFROM rows")
        return {name: found[name].to_numpy() for name in predicates}


def _is_few(column: pa.Array) -> bool:
    return pa.types.is_dictionary(column.type) and len(column.dictionary) <= _FEW


def _kinds(columns: Sequence[pa.DictionaryArray]) -> tuple[Ints, Ints]:
    """Which combination of values each row has, and a row of each combination."""
    if not columns:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    code, size = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        width = len(column.dictionary) + 1
        code, size = code * width + indices(column, width - 1), size * width
        if size > _MANY:
            distinct, code = np.unique(code, return_inverse=True)
            size = len(distinct)
    row = np.full(size, -1)
    row[code] = np.arange(len(code))
    kind = np.cumsum(row >= 0) - 1
    return kind[code], row[row >= 0]


def condition(reference: EventReference) -> str:
    """The events meant by a reference, as an SQL condition that is never null."""
    parts = []
    if reference.events is not None:
        names = ", ".join("'" + name.replace("'", "''") + "'" for name in reference.events)
        parts.append(f"event IN ({names})")
    if reference.where is not None:
        parts.append(reference.where.sql)
    return f"coalesce({' AND '.join(parts)}, false)" if parts else "true"


def projection(project: Project) -> Projection:
    """Everything that the segments and features of a project ask of events."""
    references: set[EventReference] = set()
    columns: set[str] = set()
    for group in project.features.values():
        references.add(group.source)
        references |= {reference for one in group.aggregates for _, reference in event_references(one)}
        columns |= {aggregate.of for aggregate in group.aggregates if aggregate.of}
    for segment in project.segments.values():
        found = [node.references() for node in segment.when.walk()]
        references |= {reference for one in found for reference in one.events}
        references |= {ANY_EVENT} if isinstance(segment.population, ActiveIn) else set()
        columns |= {column for one in found for column in one.event_columns}
    columns.update(carried(project))
    return Projection(tuple(sorted(references, key=predicate_name)), tuple(sorted(columns)))


def type_of(expression: str, columns: Mapping[str, DataType]) -> DataType:
    """The type of an SQL expression over columns of these types. Raises ValueError where DuckDB refuses it."""
    declared = ", ".join(f"{quoted(name)} {kind.duckdb}" for name, kind in columns.items()) or "nothing INT"
    con = connect()
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE record ({declared})")
        (_, kind, *_), *_ = con.execute(f"DESCRIBE SELECT {expression} AS value FROM record").fetchall()
        con.execute(f"SELECT {expression} FROM record")
        return DataType.of_duckdb(kind)
    except duckdb.Error as error:
        raise ValueError(str(error).splitlines()[0]) from None
    finally:
        con.close()
