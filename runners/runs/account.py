"""What became of a run's records before they were sharded, file by file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.ingest import ACCOUNT
from transforms.stage import fates_row

_ASIDE = ("quarantined", "future", "late")


def staged_account(staging: Path) -> pa.Table:
    """The rows of ACCOUNT that the workers staged."""
    files = sorted((staging / "inputs").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(path) for path in files]) if files else ACCOUNT.empty_table()


def stage_fates(staging: Path, account: pa.Table) -> None:
    """Stage how many records were set aside, beside the fates that shards count."""
    sums = {name: int(pc.sum(account[name]).as_py() or 0) for name in (*_ASIDE, "late_used")}
    row = fates_row(pa.table({"read": [sum(sums[name] for name in _ASIDE)]} | {name: [sums[name]] for name in sums}))
    (staging / "fates").mkdir(exist_ok=True)
    pq.write_table(row, staging / "fates" / "aside.parquet")


def positions_after(before: Mapping[str, Any], account: pa.Table) -> dict[str, dict[str, Any]]:
    """The positions after a run: of each file, or partition of a topic, the furthest."""
    after = {source: dict(files) for source, files in before.items()}
    furthest: dict[tuple[str, str], dict[str, Any]] = {}
    for source, file, position in zip(
        *(account[name].to_pylist() for name in ("source", "file", "position")), strict=True
    ):
        found = json.loads(position)
        known = furthest.setdefault((source, file), found)
        if _how_far(found) > _how_far(known):
            furthest[source, file] = found
    for (source, file), position in furthest.items():
        after.setdefault(source, {})[file] = position
    return after


def undeclared(account: pa.Table) -> dict[str, int]:
    """By source, how many values were dropped that it does not declare."""
    sums = account.group_by("source").aggregate([("undeclared", "sum")]).sort_by("source")
    counts = zip(sums["source"].to_pylist(), sums["undeclared_sum"].to_pylist(), strict=True)
    return {name: count for name, count in counts if count}


def unseen(account: pa.Table) -> dict[str, dict[str, str]]:
    """By source, the paths at which no record that was read has a value, and a name that is like each, if any record has one."""
    found: dict[str, dict[str, str]] = {}
    rows = account.filter(pc.is_valid(account["unseen"]))
    for source, text in zip(rows["source"].to_pylist(), rows["unseen"].to_pylist(), strict=True):
        paths = json.loads(text)
        both = found.setdefault(source, paths)
        found[source] = {path: both[path] or paths[path] for path in both if path in paths}
    return found


def _how_far(position: Mapping[str, Any]) -> tuple[int, ...]:
    """What grows while a file or a partition is read: what waits at a file's end is known when all of it is."""
    growing = ("offset",) if "offset" in position else ("records", "bytes", "waiting", "is_cut")
    return tuple(position[name] for name in growing)
