"""The stored facts, as the commands and the next run read them from the warehouse."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from runners.runs.run_plan import SegmentVersion
from runners.warehouses.lake import Lake, instant, listed, named, quoted
from runners.warehouses.published import LastRun
from schemas.definitions.project import Project
from schemas.kinds import KINDS
from transforms.algebra.claims import ints
from transforms.algebra.gone import STANDING
from transforms.algebra.order import BEGINNING
from transforms.receipts import Receipts
from transforms.stage import AWAKE


def newest_receipt(lake: Lake, last: LastRun, t_at: int) -> int:
    """The largest receipt over the last K of a stored fact dated up to T; BEGINNING where there is none.

    Files that end before that K are not read.
    """
    selects = [
        f"SELECT max(epoch_us(received_at)) AS k FROM {table} "
        f"WHERE received_at > {instant(last.known_at)} AND {KINDS[table].dated} <= {instant(t_at)}"
        for table in _filled(lake)
    ]
    found = lake.value(f"SELECT max(k) FROM ({' UNION ALL '.join(selects)})") if selects else None
    return BEGINNING if found is None else int(found)


def _filled(lake: Lake) -> list[str]:
    return [table for table in lake.filled() if table in KINDS]


def receipts_to_come(lake: Lake, last: LastRun) -> Receipts:
    """The receipts of stored facts that may not have raised K yet: of those dated after T, and of those that K has hidden."""
    selects = [
        f"SELECT epoch_us({KINDS[table].dated}) AS dated_at, epoch_us(received_at) AS k FROM {table} "
        f"WHERE received_at > {instant(last.known_at)} OR {KINDS[table].dated} > {instant(last.t_at)}"
        for table in _filled(lake)
    ]
    if not selects:
        return Receipts.of(*(np.empty(0, np.int64) for _ in range(2)))
    found = lake.arrow(f"SELECT dated_at, max(k) AS k FROM ({' UNION ALL '.join(selects)}) GROUP BY ALL")
    return Receipts.of(*(ints(found[name], BEGINNING) for name in ("dated_at", "k")))


def is_any_unseen(lake: Lake, last: LastRun) -> bool:
    """Whether a fact that was read, and dated up to T, was received after K: a K that was fixed has hidden it."""
    return newest_receipt(lake, last, last.t_at) != BEGINNING


def state_paths(lake: Lake) -> dict[int, tuple[str, ...]]:
    """The state files of each shard as the last commit names them, by its number: the lower layer first."""
    found: dict[int, tuple[str, ...]] = {}
    for shard, path in lake.rows(f"SELECT shard, path FROM kernel_state ORDER BY shard, path LIKE '%{AWAKE}'"):
        found[shard] = (*found.get(shard, ()), path)
    return found


def export_facts(lake: Lake, project: Project, sources: Iterable[str], folder: Path) -> dict[str, Path]:
    """Write the facts of some sources to Parquet, canonical: what a state is made anew from.

    Properties that are not stored are null.
    """
    folder.mkdir(exist_ok=True)
    paths = {}
    for table, schema in project.schemas.items():
        paths[table] = folder / f"{table}.parquet"
        with pq.ParquetWriter(paths[table], schema) as writer:
            for batch in lake.batches(_select(lake, sources, table, schema)):
                writer.write_table(_canonical(pa.Table.from_batches([batch]), schema))
    return paths


def links(lake: Lake, sources: Sequence[str]) -> pa.Table:
    """The links that were read of some sources, `subject` and `to_id`, whenever they were received."""
    if not sources:
        return pa.schema([("subject", pa.string()), ("to_id", pa.string())]).empty_table()
    return lake.arrow(f"SELECT subject, to_id FROM identities WHERE {_of(sources)}")


def links_about(lake: Lake, sources: Iterable[str], subjects: pa.Array) -> pa.Table:
    """The links that connect some subjects with others, and those with others again, whenever they were received."""
    ends = "(subject IN (SELECT subject FROM asked) OR to_id IN (SELECT subject FROM asked))"
    while True:
        with _asked(lake, subjects):
            found = lake.arrow(f"SELECT subject, to_id FROM identities WHERE {_of(sources)} AND {ends}")
        named = (subjects, *(found[name].drop_null().combine_chunks() for name in ("subject", "to_id")))
        grown = pc.unique(pa.concat_arrays(named))
        if len(grown) == len(subjects):
            return found
        subjects = grown


def facts_of_subjects(lake: Lake, project: Project, subjects: pa.Array, known_at: int | None) -> dict[str, pa.Table]:
    """The facts about some subjects that were received by K, canonical; all that were read where there is no K."""
    seen = "" if known_at is None else f"AND received_at <= {instant(known_at)}"
    with _asked(lake, subjects):
        return {
            table: _canonical(lake.arrow(f"{_select(lake, project.sources, table, schema)} AND {_AMONG} {seen}"), schema)
            for table, schema in project.schemas.items()
        }


def standing(
    lake: Lake, versions: Mapping[str, SegmentVersion], horizon_at: int, subjects: pa.Array | None = None
) -> pa.Table:
    """What was published of all subjects or of some of before an instant, as `STANDING` has it."""
    if horizon_at == BEGINNING or not versions:
        return STANDING.empty_table()
    current = ", ".join(f"({quoted(name)}, {one.version})" for name, one in versions.items())
    among = f'known_to IS NULL AND "at" < {instant(horizon_at)} AND (segment, version) IN ({current})'
    with _asked(lake, pa.array([], pa.string()) if subjects is None else subjects):
        some = "" if subjects is None else f"AND {_AMONG}"
        said = f'SELECT segment, subject, epoch_us("at") AS "at", member FROM segment_transitions WHERE {among} {some}'
        return lake.arrow(said).cast(STANDING)


def told_again(lake: Lake, sources: Sequence[str], files: Sequence[Path]) -> pa.Array:
    """The subjects of new events in staged files that the warehouse holds already, of sources that give their events ids."""
    if not sources or not files:
        return pa.array([], pa.string())
    staged = f"read_parquet({listed(files)}, hive_partitioning = false)"
    new = f"SELECT source, subject, event_id FROM {staged} WHERE NOT replaces AND {_of(sources)}"
    return _whole(lake.arrow(f"SELECT DISTINCT subject FROM events SEMI JOIN ({new}) USING (source, subject, event_id)"))


def _canonical(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with all columns, those that are not stored null."""
    there = set(rows.column_names)
    columns = [rows[name] if name in there else pa.nulls(len(rows), schema.field(name).type) for name in schema.names]
    return pa.table(columns, names=schema.names).cast(schema)


def count_facts(lake: Lake, project: Project, subjects: pa.Array, known_at: int) -> int:
    """How many facts about some subjects were received by K."""
    with _asked(lake, subjects):
        return int(lake.value(f"SELECT count(*) FROM ({_received(project, known_at)}) WHERE {_AMONG}"))


def known_subjects(lake: Lake, project: Project, known_at: int, among: pa.Array | None = None) -> pa.Array:
    """The subjects, all or some, who are known by a fact that was received by K."""
    if among is None:
        return _whole(lake.arrow(f"SELECT DISTINCT subject FROM ({_received(project, known_at)}) WHERE introduces"))
    with _asked(lake, among):
        said = f"FROM ({_received(project, known_at)}) WHERE introduces AND {_AMONG}"
        return _whole(lake.arrow(f"SELECT DISTINCT subject {said}"))


def subjects_at(lake: Lake, project: Project, at: int, known_at: int) -> pa.Array:
    """The subjects that are known at K, less the ids that are merged into others at T by their last link."""
    known = known_subjects(lake, project, known_at)
    among = f"{_of(project.sources)} AND received_at <= {instant(known_at)} AND linked_at <= {instant(at)}"
    last = "arg_max(coalesce(to_id, ''), (linked_at, coalesce(to_id, '')))"
    merged = _whole(lake.arrow(f"SELECT subject FROM identities WHERE {among} GROUP BY subject HAVING {last} <> ''"))
    return known.filter(pc.invert(pc.is_in(known, value_set=merged)))


def _of(sources: Iterable[str]) -> str:
    """A condition that a row is of one of the sources."""
    return f"source IN ({', '.join(map(quoted, sources)) or 'NULL'})"


def _whole(found: pa.Table) -> pa.Array:
    return found["subject"].combine_chunks()


def _received(project: Project, known_at: int) -> str:
    """The subject of each fact that was received by K, and whether one is known by it (semantics 3.3)."""
    among = f"{_of(project.sources)} AND received_at <= {instant(known_at)}"
    columns = ((table, column, kind.introduces) for table, kind in KINDS.items() for column in kind.ids)
    return " UNION ALL ".join(
        f"SELECT {column} AS subject, {introduces} AS introduces FROM {table} WHERE {among} AND {column} IS NOT NULL"
        for table, column, introduces in columns
    )


_AMONG = "subject IN (SELECT subject FROM asked)"


@contextmanager
def _asked(lake: Lake, subjects: pa.Array) -> Iterator[None]:
    """Let queries see the subjects as the table `asked`."""
    lake.con.register("asked", pa.table({"subject": subjects}))
    try:
        yield
    finally:
        lake.con.unregister("asked")


def _select(lake: Lake, sources: Iterable[str], table: str, schema: pa.Schema) -> str:
    """The facts of some sources: those of one that is not defined any more are kept, and say nothing."""
    there = lake.columns(table)
    columns = ", ".join(named(name) for name in schema.names if name in there) or "*"  # without a table the engine says so
    return f"SELECT {columns} FROM {table} WHERE {_of(sources)}"
