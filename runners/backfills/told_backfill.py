"""A backfill as people and programs are told of it: its intervals, and what is in them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from runners.backfills.backfilling import Backfilled
from runners.warehouses.backfills import Interval
from schemas.codes import CODES
from schemas.definitions.instant import write_instant


def document(done: Backfilled) -> dict[str, Any]:
    """The whole of it, JSON-able; instants as text."""
    one = done.backfill
    return {
        "backfill_id": one.backfill_id,
        "from": write_instant(one.from_at),
        "to": write_instant(one.to_at),
        "known": write_instant(one.known_at),
        "segments": {name: version for name, (version, _) in one.segments.items()},
        "features": [*one.features],
        "done_before": done.done_before,
        "intervals": [_interval(interval) for interval in done.intervals],
    }


def _interval(interval: Interval) -> Mapping[str, Any]:
    said = asdict(interval)
    del said["backfill_id"]
    return {name: write_instant(value) if name.endswith("_at") and value is not None else value for name, value in said.items()}


def render(done: Backfilled) -> str:
    """The lines for people."""
    one = done.backfill
    names = ", ".join([*(f"{name}@{version}" for name, (version, _) in one.segments.items()), *one.features])
    before = f", {done.done_before} of them done before" if done.done_before else ""
    many = "interval" if len(done.intervals) == 1 else "intervals"
    head = f"{names}: {len(done.intervals)} {many}{before}, as known at {_short(one.known_at)}"
    next_ = ["the next `segue run` puts them in force; until then they are in segment_backfilled"] if one.segments else []
    return "\n".join([head, *map(_line, done.intervals), *next_])


def _line(one: Interval) -> str:
    made = f"{one.memberships or 0:>9,} memberships {one.feature_rows or 0:>9,} feature rows"
    made = made if one.error is None else f" {one.error}: {CODES[one.error]}"
    return f"{one.number:>4}  {_short(one.from_at)}  {_short(one.to_at)}  {one.status:<8}{made}"


def _short(at: int) -> str:
    return write_instant(at).replace(".000000Z", "Z")
