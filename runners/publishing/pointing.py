"""Which files hold the state of each shard after a run: its own, and of those before it what they do not replace."""

from collections.abc import Sequence

import pyarrow as pa

from runners.runs.run_plan import RunPlan, canonical
from runners.warehouses.lake import Lake, quoted
from runners.warehouses.states import StateFile, shard_of
from runners.warehouses.tables import STATES
from transforms.stage import AWAKE

# They are few: to write them all anew costs a third of what changing some of them does.
_LAYERS = "CREATE OR REPLACE TEMP TABLE run_layers AS SELECT * FROM run_states UNION ALL BY NAME"
# Who is awake lies over the layer that was; a whole state replaces all of its shard.
_STAYING = f"""
k WHERE NOT EXISTS (FROM run_states s WHERE s.shard = k.shard AND (s.path NOT LIKE '%{AWAKE}' OR k.path LIKE '%{AWAKE}'))
"""


def pointed(lake: Lake, plan: RunPlan, states: Sequence[StateFile]) -> str:
    """Make the relation of what `kernel_state` is to hold, and give its name: all layers stand at the positions of the run."""
    positions = canonical(plan.positions_after)
    lake.con.register("run_states", _rows(plan, states, positions))
    if plan.anew:
        return "run_states"
    lake.run(f"{_LAYERS} SELECT * REPLACE ({quoted(positions)} AS positions) FROM kernel_state {_STAYING}")
    return "run_layers"


def _rows(plan: RunPlan, states: Sequence[StateFile], positions: str) -> pa.Table:
    rows = [(shard_of(one.path), plan.shards, plan.run_id, one.path, one.size, one.digest, positions) for one in states]
    columns = zip(*rows, strict=True) if rows else [[] for _ in STATES.schema]
    kinds = zip(columns, STATES.schema.types, strict=True)
    return pa.table([pa.array(list(column), type_) for column, type_ in kinds], schema=STATES.schema)
