"""Explain one subject from what the warehouse holds, by the kernel that made the history."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runners.answers.recalling import remembered
from runners.runs.keeping import see_that_answers_are_left
from runners.terminal.selecting import see_segment
from runners.warehouses.lake import Lake, instant, quoted
from runners.warehouses.published import last_run, published, told_since
from runners.warehouses.read import facts_of_subjects, links_about
from schemas.definitions.instant import write_instant
from schemas.definitions.project import Project
from schemas.definitions.segment import Segment
from schemas.errors import CallError
from transforms.algebra.event_order import in_event_order
from transforms.algebra.explain import explain
from transforms.algebra.facts import Facts
from transforms.algebra.order import FOREVER
from transforms.algebra.program import Program
from transforms.algebra.state import facts_of
from transforms.algebra.verdicts import verdict_on
from transforms.together import together
from transforms.typed import normal_sql


def explain_subject(
    lake: Lake, project: Project, subject: str, segment: str, at: int | None, known_at: int | None
) -> dict[str, Any]:
    """The answer as JSON: subject, segment, at, known, member, population, purpose_open, tree, next_transition_at.

    Errors: CallError for an unknown segment, where nothing was published yet, or where what would tell is gone.
    """
    see_segment(project, segment)
    last = published(lake)
    at, known_at = last.t_at if at is None else at, last.known_at if known_at is None else known_at
    subject, found = _found(lake, project, subject, known_at)
    see_that_answers_are_left(lake, project, at, _on_record(lake, project.segments[segment], subject, at, known_at))
    facts, events = known_facts(project, found)
    told = explain(project.segments[segment], facts, events, at, subject)
    purposes = project.segments[segment].purposes
    why = {name: verdict_on(facts, project.purposes[name], subject, at) for name in purposes}
    ledger = _ledger(found["consents"], purposes, told.get("ids", [subject]))
    head = {"subject": subject, "segment": segment, "at": at, "known": known_at}
    return _plain({**head, **told, "verdicts": why, "ledger": ledger}, {"at", "known", "next_transition_at"})


def _on_record(lake: Lake, segment: Segment, subject: str, at: int, known_at: int) -> str:
    """What was published by K about a subject at T; nothing where nobody was spoken of."""
    k = instant(known_at)
    seen = f"known_from <= {k} AND (known_to IS NULL OR known_to > {k})"
    of = f'segment = {quoted(segment.name)} AND subject = {quoted(subject)} AND "at" <= {instant(at)}'
    is_member = lake.value(f'SELECT arg_max(member, ("at", version)) FROM segment_transitions WHERE {of} AND {seen}')
    if is_member is None and not (segment.publish and told_since(lake, segment.name, known_at) <= at):
        return "the record tells nothing of then"
    return f"the record says: {'a' if is_member else 'no'} member then, as it was published"


def _ledger(consents: pa.Table, purposes: Sequence[str], ids: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of the ledger about any of the purposes: of the subject, or of the ids that are one with it."""
    whose = ["subject"] if len(ids) > 1 else []
    rows = consents.filter(pc.is_in(consents["subject"], pa.array(ids))).sort_by("effective_at")
    told = rows.select([*whose, "event_id", "purpose", "action", "channel", "claimed_at", "received_at", "effective_at"])
    return [row for row in told.to_pylist() if row["purpose"] in (*purposes, "*")]


def _found(lake: Lake, project: Project, subject: str, known_at: int) -> tuple[str, dict[str, pa.Table]]:
    """The facts of the subject, and of who was ever linked with it: by its id as it is asked, else as sources would write it."""
    for steps in dict.fromkeys(((), *(source.normalise for source in project.sources.values()))):
        written = lake.value(f"SELECT {normal_sql(quoted(subject), steps)}")
        asked = pa.array([written])
        linked = together(links_about(lake, project.sources, asked))
        found = facts_of_subjects(lake, project, pc.unique(pa.concat_arrays([asked, linked.ids])), known_at)
        if any(map(len, found.values())):
            return written, found
    return subject, found


def beyond(lake: Lake, at: int | None) -> str | None:
    """A word where T lies after the last published one."""
    last = last_run(lake)
    if at is None or last is None or at <= last.t_at:
        return None
    return f"T lies after that of the last run, {write_instant(last.t_at)}: this is so if nothing more arrives"


def known_facts(project: Project, found: Mapping[str, pa.Table]) -> tuple[Facts, pa.Table]:
    """The facts of one subject and of who was ever linked with it as the kernel takes them, and the events in their order.

    Errors: CallError where there are none.
    """
    state = remembered(Program(project, dict.fromkeys(project.segments, 1)), found)
    if not state.count:
        raise CallError(
            "SEG-0905",
            "the subject is not known: by that K no record came with this id",
            "ids are as the sources give them; --known takes a later K",
        )
    return facts_of(state, np.arange(state.count), FOREVER, project), in_event_order(found["events"], state.ids)


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
