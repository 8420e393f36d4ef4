"""What became of the records a run has read, and what consent said, in numbers."""

import numpy as np
import pyarrow as pa

from schemas.definitions.catalog import Project
from transforms.algebra.absorb import News
from transforms.algebra.claims import codes, ints
from transforms.algebra.facts import Facts
from transforms.algebra.order import FOREVER, Flags, Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State, facts_of
from transforms.algebra.verdicts import REASONS, allows, judge, reasons


def tally(program: Program, state: State, news: News, moment: Moment) -> dict[str, pa.Table]:
    """The tables `verdicts` (a row a purpose and reason) and `fates` (one row) of a shard's step."""
    everyone = facts_of(state, np.arange(state.count), moment.known_at, program.project)
    due = _dated(news.events, "occurred_at", moment)
    who, at = codes(news.events["subject"], state.ids)[due], ints(news.events["occurred_at"], 0)[due]
    table, allowed = _verdicts(program.project, everyone, who, at, moment.at)
    needed = _needed(news.projected)[due]
    used = _due(news.profiles, "valid_from", moment) + _due(news.consents, "effective_at", moment)
    used += int((allowed & needed).sum())
    accepted = len(news.events) + len(news.profiles) + len(news.consents)
    refused, unneeded = int((~allowed).sum()), int((allowed & ~needed).sum())
    fates = {
        "read": accepted + news.repeated,
        "duplicate": news.repeated,
        "kept": accepted - used - refused - unneeded,
        "refused": refused,
        "unneeded": unneeded,
        "used": used,
        "conflicts": news.conflicts,
    }
    return {"verdicts": table, "fates": pa.table({name: [number] for name, number in fates.items()})}


def _verdicts(project: Project, facts: Facts, who: Ints, at: Ints, used_at: int) -> tuple[pa.Table, Flags]:
    """Numbers by purpose and reason, and for each event whether any purpose may use it."""
    grounds = facts.grounds
    known = np.flatnonzero(facts.first_fact_at <= used_at)
    allowed, rows = np.zeros(len(who), np.bool_), []
    for name, purpose in project.purposes.items():
        judgement = judge(grounds, purpose, used_at)
        codes_of_events = reasons(judgement, who, at)
        allowed |= allows(codes_of_events)
        events = np.bincount(codes_of_events, minlength=len(REASONS))
        subjects = np.bincount(judgement.code[known], minlength=len(REASONS))
        rows += [(name, REASONS[code], events[code], subjects[code]) for code in np.flatnonzero(events + subjects)]
    columns = list(zip(*rows, strict=True)) or [()] * 4
    types = (pa.string(), pa.string(), pa.int64(), pa.int64())
    names = ("purpose", "reason", "events", "subjects")
    return pa.table(
        {name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)}
    ), allowed


def _needed(projected: pa.Table) -> Flags:
    """The events that any definition names."""
    needed = np.zeros(len(projected), np.bool_)
    for name in projected.column_names:
        if name.startswith("p_"):
            needed |= projected[name].to_numpy()
    return needed


def _dated(rows: pa.Table, column: str, moment: Moment) -> Flags:
    """The rows dated up to T and received by K; the others are kept."""
    return (ints(rows[column], FOREVER) <= moment.at) & (ints(rows["received_at"], 0) <= moment.known_at)


def _due(rows: pa.Table, column: str, moment: Moment) -> int:
    return int(_dated(rows, column, moment).sum())
