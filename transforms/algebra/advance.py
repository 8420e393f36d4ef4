"""One step of a shard: facts in, state and publications out. Pure; batch, increment, stream and explain call it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from transforms.algebra.absorb import Arrived, News, absorb
from transforms.algebra.belief import Belief, differ
from transforms.algebra.claims import WHO, ints
from transforms.algebra.engine import connect
from transforms.algebra.features import write_features
from transforms.algebra.order import FOREVER, Flags
from transforms.algebra.program import Moment, Program
from transforms.algebra.publications import Publications
from transforms.algebra.reasons import Reasons
from transforms.algebra.state import BELIEF, State
from transforms.algebra.study import Study
from transforms.algebra.tally import Tally


def advance(program: Program, state: State, arrived: Arrived, moment: Moment) -> tuple[State, dict[str, pa.Table]]:
    """Take in what has arrived, recompute whom it touches, and say what changed up to T, table by table.

    The tables are those that publishing stamps with K and the run: events, profiles, consents, transitions, closings, changes,
    upcoming, feature_rows, verdicts, fates.
    """
    con = connect()
    state, news = absorb(state, arrived, program.projection, con)
    con.close()
    touched = _touched(state, news, moment)
    due = ~touched & (ints(state.subjects["next_at"], FOREVER) <= moment.at)
    seen = Study.of(program, state, np.flatnonzero(touched), moment, answered=True)
    studies = [seen]
    if due.any():
        studies.append(Study.of(program, state, np.flatnonzero(due), moment, answered=False))
    tally = Tally(program, state, news, moment)
    state, moved = _believe(program, state, news, seen, moment)
    state, rows = _restate(program, state, studies, tally, moment)
    return state, {
        "events": news.events,
        "profiles": news.profiles,
        "consents": news.consents,
        **moved,
        "feature_rows": rows,
        "verdicts": tally.verdicts,
        "fates": tally.fates,
    }


def _touched(state: State, news: News, moment: Moment) -> Flags:
    """The subjects whose answers may differ from what is believed."""
    if moment.everyone:
        return np.ones(state.count, np.bool_)
    touched = news.touched.copy()
    for rows in (state.events, state.profiles, state.consents) if moment.known_before != FOREVER else ():
        received_at = ints(rows["received_at"], 0)
        fresh = (received_at > moment.known_before) & (received_at <= moment.known_at)
        touched[rows[WHO].to_numpy()[fresh]] = True
    return touched


def _restate(
    program: Program, state: State, studies: list[Study], tally: Tally, moment: Moment
) -> tuple[State, pa.Table]:
    """The feature rows of those studied, and the state with these, the verdicts and what comes next in it."""
    next_at, written = ints(state.subjects["next_at"], FOREVER).copy(), []
    for study in studies:
        state, rows, following = write_features(program, state, study, moment)
        written.append(rows)
        next_at[study.who] = np.minimum(following, tally.judge(study))
    subjects = state.subjects.set_column(1, "next_at", pa.array(next_at))
    return replace(state, subjects=subjects, verdicts=tally.remembered), pa.concat_tables(written)


def _believe(
    program: Program, state: State, news: News, seen: Study, moment: Moment
) -> tuple[State, dict[str, pa.Table]]:
    """Publish what differs for those seen and what has fallen due for the others."""
    count = state.count
    fresh = _belief(program, seen, count)
    held = _held(state, count)
    mine = np.isin(held.key % max(count, 1), seen.who)
    others = held.take(~mine)
    due = others.take((others.at > moment.last_at) & (others.at <= moment.at))
    difference = differ(held.take(mine), fresh, moment.last_at, moment.at)
    after = _merged(others, fresh)
    reasons = Reasons(state, news, moment.last_at)
    tables = Publications(program, state)
    concerned = np.concatenate((fresh.key, due.key, difference.closings.key))
    changes = [
        tables.changes(difference.news, reasons.at_instants(difference.news)),
        tables.changes(due, reasons.at_instants(due)),
        tables.corrected(difference.corrections, reasons.of_subjects(difference.corrections.key)),
    ]
    moved = {
        "transitions": pa.concat_tables([tables.transitions(difference.inserts), tables.transitions(due)]),
        "closings": tables.closings(difference.closings),
        "changes": pa.concat_tables(changes),
        "upcoming": tables.upcoming(after, np.unique(concerned), moment.at),
    }
    return replace(state, belief=_kept(after, count)), moved


def _belief(program: Program, seen: Study, count: int) -> Belief:
    """The answers about those seen as transitions."""
    parts = []
    for place, name in enumerate(program.segments):
        steps = seen.evaluation.answers[name]
        parts.append((place * count + seen.who[steps.who], steps.at, steps.value.astype(np.bool_)))
    if not parts:
        return Belief(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))
    return Belief(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _held(state: State, count: int) -> Belief:
    belief = state.belief
    member = np.asarray(belief["member"]).astype(np.bool_)
    return Belief(ints(belief["segment"], 0) * count + ints(belief["who"], 0), ints(belief["at"], 0), member)


def _merged(one: Belief, other: Belief) -> Belief:
    """Beliefs about different keys, in order."""
    both = Belief(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))
    return both.take(np.argsort(both.key, kind="stable"))


def _kept(belief: Belief, count: int) -> pa.Table:
    segment, who = np.divmod(belief.key, max(count, 1))
    columns = (segment.astype(np.int16), who.astype(np.int32), belief.at, belief.member)
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=BELIEF)
