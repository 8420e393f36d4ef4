"""Small staged runs, made by hand: what workers would leave for publishing."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from runners.publishing.publish import publish
from runners.publishing.staging import new_staging, staged_schemas
from runners.runs.run_plan import RunPlan, SegmentVersion
from runners.warehouses.lake import Lake
from runners.warehouses.published import last_run

DAY = 86_400_000_000
START = 1_600_000_000_000_000
Row = tuple[Any, ...]
COMMITS = 4
"""So many small runs leave many small files."""


def at(days: float) -> int:
    """An instant so many days after the start, microseconds."""
    return START + int(days * DAY)


def plan_of(lake: Lake, day: float, **changes: Any) -> RunPlan:
    """A run at T = that day, on top of what is published; `vip` is its one segment."""
    last = last_run(lake)
    before = dict(last.positions) if last else {}
    standard = RunPlan(
        staging=new_staging(lake),
        t_at=at(day),
        known_at=max(at(day), last.known_at + 1) if last else at(day),
        definitions="d1",
        positions_before=before,
        positions_after={"orders": {"a.ndjson": int(day * 1000)}},
        written_at=at(day),
        shards=2,
        started_at=at(day),
        parent=last.run_id if last else "",
        versions={"vip": SegmentVersion(1, "m1")},
        fact_columns={"events": {"amount": pa.decimal128(12, 2)}, "profiles": {"country": pa.string()}},
        feature_columns={"purchases__spend_7d": pa.decimal128(38, 2)},
    )
    return dataclasses.replace(standard, **changes)


def stage(plan: RunPlan, table: str, rows: Sequence[Mapping[str, Any]], shard: int = 0) -> Path:
    """Write rows of a staged table; columns that a row lacks are null."""
    schema = staged_schemas(plan)[table]
    path = plan.staging / table / f"{shard:04d}.parquet"
    path.parent.mkdir(exist_ok=True)
    columns = [pa.array([_value(row.get(field.name), field.type) for row in rows], field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)
    return path


def _value(value: Any, kind: pa.DataType) -> Any:
    """Decimals are written as text, and hashes of a few bytes are filled up."""
    if value is not None and pa.types.is_decimal(kind):
        return pa.scalar(value).cast(kind).as_py()
    return value.ljust(32, b"\0") if pa.types.is_fixed_size_binary(kind) and value is not None else value


def stage_state(plan: RunPlan, shard: int, content: bytes = b"state", ending: str = ".arrow") -> None:
    """Write the state file of a shard."""
    (plan.staging / "state").mkdir(exist_ok=True)
    (plan.staging / "state" / f"{shard:04d}{ending}").write_bytes(content)


def event(subject: str, event_id: str, day: float, received: float | None = None, **more: Any) -> dict[str, Any]:
    """One staged event."""
    standard = {
        "source": "orders",
        "subject": subject,
        "event_id": event_id,
        "event": "order_completed",
        "occurred_at": at(day),
        "received_at": at(day if received is None else received),
        "record_hash": b"h",
        "amount": "9.50",
        "replaces": False,
    }
    return {**standard, **more}


def consent(subject: str, action: str, day: float, **more: Any) -> dict[str, Any]:
    """One staged row of the ledger."""
    standard = {
        "source": "ledger",
        "subject": subject,
        "event_id": f"{action}{day}",
        "purpose": "push",
        "action": action,
        "claimed_at": at(day),
        "received_at": at(day),
        "channel": "*",
        "effective_at": at(day),
        "record_hash": b"c",
        "replaces": False,
    }
    return {**standard, **more}


def enter(plan: RunPlan, moves: Sequence[tuple[str, float, bool]], segment: str = "vip", shard: int = 0) -> None:
    """Stage transitions (subject, day, member) with the changes that tell of them."""
    version = plan.versions[segment].version
    key = [{"segment": segment, "version": version, "subject": subject} for subject, _, _ in moves]
    turns = [
        {**one, "at": at(day), "member": member, "purpose": "push"}
        for one, (_, day, member) in zip(key, moves, strict=True)
    ]
    told = [
        {**one, "kind": "entered" if member else "exited", "effective_at": at(day), "member": member, "reason": "event"}
        for one, (_, day, member) in zip(key, moves, strict=True)
    ]
    stage(plan, "transitions", turns, shard)
    stage(plan, "changes", told, shard)


def first_run(lake: Lake, **changes: Any) -> RunPlan:
    """A first run at day 10: Ann is a member from day 1, Bob from day 2 to day 5."""
    plan = plan_of(lake, 10, **{"known_at": at(2), **changes})
    stage(plan, "events", [event("ann", "1", 1), event("bob", "2", 2)])
    stage(plan, "consents", [consent("ann", "GRANT", 0), consent("bob", "GRANT", 0)])
    enter(plan, [("ann", 1, True), ("bob", 2, True), ("bob", 5, False)])
    stage(plan, "upcoming", [{"segment": "vip", "version": 1, "subject": "ann", "next_transition_at": at(40)}])
    stage(plan, "feature_rows", [{"subject": "ann", "purchases__spend_7d": "9.50"}])
    stage(plan, "verdicts", [{"purpose": "push", "reason": "ALLOW_consent", "events": 2, "subjects": 2}])
    stage(plan, "fates", [{"read": 4, "used": 4}])
    stage_state(plan, 0)
    stage_state(plan, 1)
    return plan


def correction(lake: Lake) -> RunPlan:
    """A second run at day 20: Ann's membership is taken back from day 3 on, since she had withdrawn."""
    plan = plan_of(lake, 20, known_at=at(19))
    key = {"segment": "vip", "version": 1, "subject": "ann"}
    stage(plan, "consents", [consent("ann", "WITHDRAW", 3, received_at=at(19))])
    stage(plan, "closings", [{**key, "at": at(1)}])
    turns = [{**key, "at": at(1), "member": True}, {**key, "at": at(3), "member": False}]
    stage(plan, "transitions", [{**turn, "purpose": "push"} for turn in turns])
    told = {"kind": "corrected", "effective_at": at(3), "until_at": at(10), "member": False, "reason": "consent"}
    stage(plan, "changes", [{**key, **told}])
    stage(plan, "exposed", [{**key, "effective_at": at(3), "wrong_since_at": at(3)}])
    stage(plan, "upcoming", [key])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    stage_state(plan, 0, b"later")
    return plan


def commit_often(lake: Lake) -> None:
    """Publish a few small runs."""
    publish(lake, first_run(lake))
    for number in range(COMMITS):
        commit_once(lake, number)


def commit_once(lake: Lake, number: int) -> None:
    """Publish one event."""
    plan = plan_of(lake, 20 + number / 100)
    stage(plan, "events", [event("ann", f"e{number}", 19.5 + number / 100)])
    stage(plan, "fates", [{"read": 1, "used": 1}])
    stage_state(plan, 0, f"state {number}".encode())
    publish(lake, plan)
