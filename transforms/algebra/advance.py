"""One step of a shard: facts in, state and publications out. Pure; batch, increment, stream and explain call it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.algebra.absorb import Arrived, News, absorb
from transforms.algebra.belief import Belief, differ
from transforms.algebra.claims import ints
from transforms.algebra.engine import connect
from transforms.algebra.evaluate import Evaluation, evaluate
from transforms.algebra.features import write_features
from transforms.algebra.order import Flags, Ints
from transforms.algebra.program import Moment, Program
from transforms.algebra.publications import Publications
from transforms.algebra.reasons import Reasons
from transforms.algebra.state import BELIEF, State, facts_of
from transforms.algebra.tally import tally


def advance(program: Program, state: State, arrived: Arrived, moment: Moment) -> tuple[State, dict[str, pa.Table]]:
    """Take in what has arrived, recompute whom it touches, and say what changed up to T, table by table.

    The tables are those that publishing stamps with K and the run: events, profiles, consents, transitions, closings, changes,
    upcoming, feature_rows, verdicts, fates.
    """
    con = connect()
    state, news = absorb(state, arrived, program.projection, con)
    con.close()
    touched = _touched(state, news, moment)
    state, moved = _believe(program, state, news, touched, moment)
    state, rows = write_features(program, state, touched, moment)
    return state, {
        "events": news.events,
        "profiles": news.profiles,
        "consents": news.consents,
        **moved,
        "feature_rows": rows,
        **tally(program, state, news, moment),
    }


def _touched(state: State, news: News, moment: Moment) -> Flags:
    """The subjects whose answers may differ from what is believed."""
    if moment.everyone:
        return np.ones(state.count, np.bool_)
    touched = news.touched.copy()
    for table, who in ((state.events, None), (state.profiles, "subject"), (state.consents, "subject")):
        received_at = ints(table["received_at"], 0)
        fresh = np.flatnonzero((received_at > moment.known_before) & (received_at <= moment.known_at))
        rows = table.take(pa.array(fresh))
        touched[ints(rows["who"], 0) if who is None else ints(pc.index_in(rows[who], state.ids), 0)] = True
    return touched


def _believe(
    program: Program, state: State, news: News, touched: Flags, moment: Moment
) -> tuple[State, dict[str, pa.Table]]:
    """Recompute the touched, publish what differs for them and what has fallen due for the others."""
    count = state.count
    who = np.flatnonzero(touched)
    facts = facts_of(state, who, moment.known_at, program.project)
    fresh = _belief(program, evaluate(program.project, facts), who, count)
    held = _held(state, count)
    mine = touched[held.key % count] if count else np.zeros(0, np.bool_)
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


def _belief(program: Program, evaluation: Evaluation, who: Ints, count: int) -> Belief:
    """The answers about some subjects (`who`, numbered in the state) as transitions."""
    parts = []
    for place, name in enumerate(program.segments):
        steps = evaluation.answers[name]
        parts.append((place * count + who[steps.who], steps.at, steps.value.astype(np.bool_)))
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
    return pa.table({"segment": segment, "who": who, "at": belief.at, "member": belief.member}, schema=BELIEF)
