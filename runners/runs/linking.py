"""Which ids links connect, before a run and after it, and who goes to another shard because of that."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from runners.runs.keeping import gone
from runners.runs.outlook import Outlook, versions_of
from runners.sources.entry import read as read_input
from runners.warehouses.lake import Lake
from runners.warehouses.published import last_run, versions
from runners.warehouses.read import facts_of_subjects, links, standing
from schemas.definitions.project import Project
from transforms.algebra.engine import connect
from transforms.algebra.order import BEGINNING
from transforms.coder import ShardedBatch
from transforms.decode import DecodePlan, decode
from transforms.known import KIND
from transforms.segment import LEAVING, STANDS, STORED
from transforms.shard import shards_of, split
from transforms.together import Together, together

_AT_ONCE = 5_000
"""Subjects whose facts memory has room for."""


class Linked(NamedTuple):
    """The ids that links connect: by those that the warehouse holds, and by these and what is to be read."""

    before: Together
    after: Together

    def moved(self, shards: int) -> pa.Array:
        """Who goes from one shard to another."""
        if self.after is self.before:
            return self.after.ids[:0]
        ids = self.after.ids
        goes = shards_of(ids, shards, self.before) != shards_of(ids, shards, self.after)
        return ids.filter(pa.array(goes))


def linked(lake: Lake, outlook: Outlook, plan: DecodePlan) -> Linked:
    """Read the links that there are, those of new records included."""
    kept = [name for name in outlook.project.of_kind("identities") if name not in outlook.reading.reread]
    stored = links(lake, [] if outlook.options.full_refresh else kept)
    before, new = together(stored), [*_new(outlook, plan)]
    return Linked(before, together(pa.concat_tables([stored, *new])) if new else before)


def _new(outlook: Outlook, plan: DecodePlan) -> Iterator[pa.Table]:
    """The links in what is to be read."""
    con = connect()
    for one in outlook.reading.listing.inputs:
        source = outlook.project.sources[one.source]
        for chunk in read_input(one) if source.kind == "identities" else ():
            accepted = decode(chunk, source, plan, con).accepted
            yield pa.Table.from_batches([accepted]).select(["subject", "to_id"])
    con.close()


def moving(lake: Lake, project: Project, both: Linked) -> Iterator[ShardedBatch]:
    """Who goes to another shard, with all facts about them."""
    return taken_along(lake, project, both.moved(project.target.shards), both.before, both.after)


def taken_along(
    lake: Lake, project: Project, subjects: pa.Array, before: Together, after: Together
) -> Iterator[ShardedBatch]:
    """Who leaves each shard, and the facts about them for the shards that they go to, of some subjects at a time."""
    shards = project.target.shards
    shard = shards_of(subjects, shards, before)
    for one in np.unique(shard):
        schema = pa.schema([("subject", pa.string())], {KIND: LEAVING})
        yield int(one), pa.RecordBatch.from_arrays([subjects.filter(pa.array(shard == one))], schema=schema)
    for start in range(0, len(subjects), _AT_ONCE):
        some = subjects.slice(start, _AT_ONCE)
        yield from _stored(facts_of_subjects(lake, project, some, None), shards, after)
        yield from standing_of(lake, project, after, some)


def standing_of(
    lake: Lake, project: Project, after: Together, subjects: pa.Array | None = None
) -> Iterator[ShardedBatch]:
    """What was published of all subjects or of some that can not be computed any more, for the shards that they are in."""
    horizon_at = gone(project, last_run(lake))["horizon_at"]
    if horizon_at > BEGINNING:
        found = standing(lake, versions_of(versions(lake), project), horizon_at, subjects)
        for batch in found.combine_chunks().to_batches():
            yield from split(batch.replace_schema_metadata({KIND: STANDS}), project.target.shards, after)


def _stored(facts: Mapping[str, pa.Table], shards: int, after: Together) -> Iterator[ShardedBatch]:
    for kind, rows in facts.items():
        for batch in rows.combine_chunks().to_batches():
            yield from split(batch.replace_schema_metadata({KIND: STORED + kind.encode()}), shards, after)
