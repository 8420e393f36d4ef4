"""The one SELECT that turns events into what the kernel asks of them: a boolean for each predicate, a column for each value."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
import pyarrow as pa

from schemas.definitions.catalog import Project
from schemas.definitions.datatype import DataType
from schemas.definitions.expression import quoted
from schemas.definitions.reference import EventReference
from schemas.definitions.segment import ActiveIn
from transforms.algebra.columns import predicate_name, value_name
from transforms.algebra.engine import connect

ANY_EVENT = EventReference(None)
_PLACE = "_place"  # no property begins so


@dataclass(frozen=True)
class Projection:
    """What a set of definitions asks of events.

    Attributes:
      references: the events that leaves are about.
      columns: the properties whose values leaves read.
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

    def __call__(self, con: duckdb.DuckDBPyConnection, events: pa.Table) -> pa.Table:
        """Project events of `event.SCHEMA`: the same rows in the same order, the columns `names`."""
        if not self.names:
            return pa.table({"_": pa.nulls(len(events))}).select([])
        con.register("events", events.append_column(_PLACE, pa.array(np.arange(len(events)))))
        try:
            found = con.execute(f"SELECT {_PLACE}, {self.select_list}\nFROM events").to_arrow_table()
        finally:
            con.unregister("events")
        place = found[_PLACE].to_numpy()
        if not np.array_equal(place, np.arange(len(events))):
            found = found.take(pa.array(np.argsort(place)))
        return found.drop_columns(_PLACE)


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
        columns |= {aggregate.of for aggregate in group.aggregates if aggregate.of}
    for segment in project.segments.values():
        found = [node.references() for node in segment.when.walk()]
        references |= {reference for one in found for reference in one.events}
        references |= {ANY_EVENT} if isinstance(segment.population, ActiveIn) else set()
        columns |= {column for one in found for column in one.event_columns}
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
