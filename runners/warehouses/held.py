"""How many facts the warehouse holds, of how many subjects and since when: of all, and of what segments are about."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa

from runners.warehouses.lake import Lake, quoted
from schemas.definitions.node import event_references
from schemas.definitions.project import Project
from schemas.definitions.reference import References
from schemas.kinds import KINDS

About = tuple[str, str | None]
"""Facts of one kind: events of a name, or of any (None); the ledger's rows about a purpose; profiles (''); scores of a model."""

_ASKED = pa.schema([("name", pa.string()), ("kind", pa.string()), ("what", pa.string())])

# One row a subject and kind: all that is asked afterwards is asked of these.
_HELD = """
CREATE OR REPLACE TEMP TABLE held_facts AS
SELECT '{table}' AS kind, {what} AS what, subject, count(*) AS facts, min(epoch_us({dated})) AS first_at
FROM {table} WHERE source IN ({sources}) GROUP BY ALL
"""

_OF_EACH = """
SELECT name, CAST(sum(facts) AS BIGINT), count(DISTINCT subject), min(first_at)
FROM (
  SELECT DISTINCT name, h.* FROM held_facts h
  JOIN held_asked a ON h.kind = a.kind AND (a.what IS NULL OR a.what = h.what OR (h.kind = 'consents' AND h.what = '*'))
)
GROUP BY name
"""


class Held(NamedTuple):
    """Facts in numbers. `first_at` is int64 microseconds UTC, None where there is no fact."""

    facts: int
    subjects: int
    first_at: int | None


NOTHING = Held(0, 0, None)


def about(project: Project, references: Iterable[References], purposes: Iterable[str]) -> set[About]:
    """What leaves that refer to these are about, with what decides whether some purposes are open."""
    refers = [*references]
    events = [reference for one in refers for reference in one.events]
    groups = [project.features[name.partition(".")[0]] for one in refers for name in one.features]
    events += [group.source for group in groups]
    aggregates = [aggregate for group in groups for aggregate in group.aggregates]
    events += [reference for aggregate in aggregates for _, reference in event_references(aggregate)]
    found: set[About] = {("events", name) for one in events for name in (one.events or (None,))}
    found |= {("profiles", "") for one in refers if one.profile}
    found |= {("scores", model) for one in refers for model in one.models}
    for name in purposes:
        found |= {("consents", name)} | ({("profiles", "")} if project.purposes[name].asks_profiles else set())
    return found


@contextmanager
def facts_held(lake: Lake, sources: Sequence[str]) -> Iterator[None]:
    """Count the facts of some sources once, for what is asked inside."""
    listed = ", ".join(map(quoted, sources)) or "NULL"
    for index, (table, kind) in enumerate(KINDS.items()):
        sql = _HELD.format(table=table, what=kind.about, dated=kind.dated, sources=listed).strip()
        lake.run(sql if not index else sql.replace("CREATE OR REPLACE TEMP TABLE held_facts AS", "INSERT INTO held_facts"))
    try:
        yield
    finally:
        lake.run("DROP TABLE temp.main.held_facts")


def held_of_all(lake: Lake) -> Held:
    """All facts that were counted."""
    sql = "SELECT CAST(coalesce(sum(facts), 0) AS BIGINT), count(DISTINCT subject), min(first_at) FROM held_facts"
    return Held(*lake.rows(sql)[0])


def held_of_each(lake: Lake, asked: Mapping[str, Iterable[About]]) -> dict[str, Held]:
    """The facts that each name asks for."""
    rows = [(name, *one) for name, ones in asked.items() for one in ones]
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    lake.con.register("held_asked", pa.table([pa.array(column, pa.string()) for column in columns], schema=_ASKED))
    try:
        found = {name: Held(*numbers) for name, *numbers in lake.rows(_OF_EACH)}
    finally:
        lake.con.unregister("held_asked")
    return {name: found.get(name, NOTHING) for name in asked}
