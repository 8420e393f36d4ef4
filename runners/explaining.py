"""Explain one subject from what the warehouse holds, by the kernel that made the history."""

import difflib
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from runners.warehouses.ducklake import Lake
from runners.warehouses.read import facts_of_subject, last_run
from schemas import profile
from schemas.definitions.instant import write_instant
from schemas.definitions.project import Project
from schemas.errors import CallError
from transforms.algebra.absorb import Arrived, absorb
from transforms.algebra.claims import ints
from transforms.algebra.engine import connect
from transforms.algebra.explain import explain
from transforms.algebra.facts import Facts
from transforms.algebra.order import FOREVER
from transforms.algebra.program import Program
from transforms.algebra.state import State, empty_state, event_order, facts_of
from transforms.algebra.verdicts import verdict

_MARKS = {True: "yes", False: "no", None: "unknown"}


def explain_subject(
    lake: Lake, project: Project, subject: str, segment: str, at: int | None, known_at: int | None
) -> dict[str, Any]:
    """The answer as JSON: subject, segment, at, known, member, population, purpose_open, tree, next_transition_at.

    Errors: CallError for an unknown segment, or where nothing was published yet.
    """
    if segment not in project.segments:
        near = difflib.get_close_matches(segment, project.segments, 1)
        raise CallError("SEG-0302", f"no segment `{segment}`", f"did you mean `{near[0]}`?" if near else "")
    last = last_run(lake)
    if last is None:
        raise CallError("SEG-0601", "nothing was published yet", "`segue run` does")
    at, known_at = last.t_at if at is None else at, last.known_at if known_at is None else known_at
    found = facts_of_subject(lake, project, subject, known_at)
    told = explain(project.segments[segment], *known_facts(project, subject, found), at)
    purposes = project.segments[segment].purposes
    why = {p: verdict(project, p, found["consents"], found["profiles"], subject, at, at, known_at) for p in purposes}
    rows = found["consents"].select(
        ["event_id", "purpose", "action", "channel", "claimed_at", "received_at", "effective_at"]
    )
    ledger = [row for row in rows.sort_by("effective_at").to_pylist() if row["purpose"] in (*purposes, "*")]
    head = {"subject": subject, "segment": segment, "at": at, "known": known_at}
    return _plain({**head, **told, "verdicts": why, "ledger": ledger}, {"at", "known", "next_transition_at"})


def known_facts(project: Project, subject: str, found: dict[str, pa.Table]) -> tuple[Facts, pa.Table]:
    """The facts of one subject as the kernel takes them, and its events in their order.

    Errors: CallError where there are none.
    """
    program = Program(project, dict.fromkeys(project.segments, 1))
    empty: State = empty_state(
        program.projected_schema, profile.with_properties(project.profile_columns), program.feature_schema
    )
    con = connect()
    state, _ = absorb(empty, Arrived(found["events"], found["profiles"], found["consents"]), program.projection, con)
    con.close()
    if not state.count:
        raise CallError(
            "SEG-0905", "the subject is not known at that K", "ids are as the source gives them, normalised"
        )
    events = found["events"]
    at = ints(events["occurred_at"], 0)
    index = event_order(at * 0, at, events["event_id"], events["source"])
    return facts_of(state, np.zeros(1, np.int64), FOREVER, project), events.take(pa.array(index))


def _plain(value: Any, instants: set[str], key: str = "") -> Any:
    """JSON: instants as ISO 8601 UTC with six digits, decimals as text."""
    if isinstance(value, dict):
        return {name: _plain(part, instants, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, instants) for part in value]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and (key in instants or key.endswith("_at") or key == "counted_from")
    ):
        return write_instant(value)
    return value


def render(told: dict[str, Any]) -> str:
    """The answer for people."""
    member = "is a member" if told["member"] else "is not a member"
    head = f"{told['subject']} {member} of {told['segment']} at {told['at']}, as known at {told['known']}"
    use = ", ".join(f"{purpose} {reason}" for purpose, reason in told["verdicts"].items())
    following = told["next_transition_at"]
    lines = [head, f"population: {_MARKS[told['population']]}", f"use: {use}", *_tree(told["tree"], 0)]
    lines += [
        f"ledger: {row['action']} {row['purpose']} claimed {row['claimed_at']}, acts {row['effective_at']}"
        for row in told["ledger"][-6:]
    ]
    return "\n".join([*lines, f"next flip if nothing more arrives: {following or 'never'}"])


def _tree(node: dict[str, Any], depth: int) -> list[str]:
    pad = "  " * depth
    numbers = node["numbers"]
    told = f" value {numbers['value']}, wanted {numbers['compared']}" if "compared" in numbers else ""
    told += "".join(
        f" {name} is {part['value']}, wanted {part['compared']}"
        for name, part in numbers.items()
        if isinstance(part, dict)
    )
    flip = f"; flips at {node['next_flip_at']}" if node.get("next_flip_at") else ""
    lines = [f"{pad}{_MARKS[node['value']]:<8}{node['node']}{told}{flip}"]
    lines += [
        f"{pad}        {one['occurred_at']} {one['event']} ({one['source']} {one['event_id']})"
        for one in node["decided_by"][-5:]
    ]
    return lines + [line for child in node["children"] for line in _tree(child, depth + 1)]
