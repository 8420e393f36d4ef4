"""What the user expects of sources: fresh, clean, without repetitions, and of one mind with each other."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from runners.audits.expectations import Related, SourceExpectation
from runners.audits.finding import Measure
from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import Lake, named, quoted
from schemas.definitions.comparison import Comparison
from schemas.definitions.condition import Compare
from schemas.definitions.lineage import Item
from schemas.kinds import KINDS

_DAY_US = 86_400_000_000
_NONE = Comparison(Compare("=", 0))


def measures_of_sources(lake: Lake, plan: RunPlan) -> Iterator[Measure]:
    """Everything that is expected of sources, measured in what is staged and what is stored."""
    for name, said in plan.expectations.sources.items():
        yield from _delivered(lake, plan, name, said)
        if said.unique:
            yield _repeated(lake, plan, name, said)
        for one in said.related:
            yield _orphaned(lake, plan, name, said.kind, one)


def _delivered(lake: Lake, plan: RunPlan, name: str, said: SourceExpectation) -> Iterator[Measure]:
    """The share of this run's records that was set aside, and the age at T of the newest record."""
    item = Item("sources", name)
    aside, kept, newest = _received(lake, plan, name)
    if said.quarantined is not None:
        share = aside / (aside + kept) if aside + kept else None
        yield Measure(f"source `{name}`: quarantined", item, said.quarantined, share)
    if said.freshness_us is not None:
        age = None if newest is None else (plan.t_at - newest) / _DAY_US
        days = Comparison(Compare("<=", Decimal(said.freshness_us) / _DAY_US))
        yield Measure(f"source `{name}`: days since its newest record", item, days, age)


def _received(lake: Lake, plan: RunPlan, name: str) -> tuple[int, int, int | None]:
    """How many records of a source were set aside and kept by this run, and the newest receipt of all."""
    tables = [(f"staged_{kind}", True) for kind in KINDS] + [(kind, False) for kind in KINDS if not plan.full_refresh]
    parts = [f"SELECT received_at, {fresh} AS fresh FROM {table} WHERE source = {quoted(name)}" for table, fresh in tables]
    said = f"SELECT count(*) FILTER (fresh), max(epoch_us(received_at)) FROM ({' UNION ALL '.join(parts)})"
    kept, newest = lake.rows(said)[0]
    return lake.value(f"SELECT count(*) FROM staged_quarantine WHERE source = {quoted(name)}"), kept, newest


def _repeated(lake: Lake, plan: RunPlan, name: str, said: SourceExpectation) -> Measure:
    """New records of which another one, new or stored, has the same values; of profiles, one of another subject."""
    columns = ", ".join(map(named, said.unique))
    among = "count(DISTINCT subject)" if said.kind == "profiles" else "count(*)"
    held = _held(lake, plan, name, said.kind, {*said.unique, "subject"})
    twice = f"SELECT {columns} FROM ({held}) GROUP BY {columns} HAVING {among} > 1"
    sql = f"SELECT _file, _row FROM staged_{said.kind} SEMI JOIN ({twice}) USING ({columns}) WHERE source = {quoted(name)}"
    label = f"source `{name}`: unique {', '.join(said.unique)}"
    return Measure(label, Item("sources", name), _NONE, _count(lake, sql), sql)


def _orphaned(lake: Lake, plan: RunPlan, name: str, kind: str, one: Related) -> Measure:
    """The share of new records with a value that the other source does not have."""
    valued = f"FROM staged_{kind} WHERE source = {quoted(name)} AND {named(one.column)} IS NOT NULL"
    if one.keys is None:
        held = _held(lake, plan, one.source, one.kind, [one.target])
        sql = f"SELECT _file, _row {valued} AND {named(one.column)} NOT IN ({_those(held, one.target)})"
    else:
        lake.con.register("related_keys", one.keys)
        sql = f"SELECT _file, _row {valued} AND CAST({named(one.column)} AS VARCHAR) NOT IN (SELECT key FROM related_keys)"
    all_ = _count(lake, f"SELECT 1 {valued}")
    share = _count(lake, sql) / all_ if all_ else None
    return Measure(f"source `{name}`: {one.column} not in {one.to}", Item("sources", name), one.orphans, share, sql)


def _those(held: str, column: str) -> str:
    return f"SELECT {named(column)} FROM ({held}) WHERE {named(column)} IS NOT NULL"


def _count(lake: Lake, sql: str) -> int:
    return int(lake.value(f"SELECT count(*) FROM ({sql})"))


def _held(lake: Lake, plan: RunPlan, source: str, kind: str, columns: Sequence[str] | set[str]) -> str:
    """The query of all facts of a source as they are once this run is published."""
    wanted, of = ", ".join(map(named, sorted(columns))), f"source = {quoted(source)}"
    staged = f"SELECT {wanted} FROM staged_{kind} WHERE {of}"
    if plan.full_refresh or source in plan.reread or not {*columns} <= _stored(lake, kind):
        return staged
    key = ", ".join(map(named, KINDS[kind].key))
    stands = f"{kind} ANTI JOIN (FROM staged_{kind} WHERE replaces) USING ({key})"
    return f"{staged} UNION ALL SELECT {wanted} FROM {stands} WHERE {of}"


def _stored(lake: Lake, table: str) -> set[str]:
    """The columns that a table has: a property that is new has none before this run."""
    return {name for name, *_ in lake.rows(f"DESCRIBE {table}")}
