"""One step of a shard: facts in, state and publications out. Pure; batch, increment, stream and explain call it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from transforms.algebra.absorb import Arrived, absorb, flags
from transforms.algebra.belief import differ, merged, subject_of
from transforms.algebra.believed import awaiting, believed, falling_due, rethought
from transforms.algebra.causes import Causes
from transforms.algebra.claims import ints
from transforms.algebra.closing import thought
from transforms.algebra.engine import connect
from transforms.algebra.features import write_features
from transforms.algebra.folding import continued, fold
from transforms.algebra.gone import NOBODY, told_from_horizon, with_standing, without_record
from transforms.algebra.heard import Heard
from transforms.algebra.lifecycles import Passages
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints
from transforms.algebra.outdated import closing, is_recalled, see_that_all_is_there
from transforms.algebra.program import Moment, Program
from transforms.algebra.publications import Publications
from transforms.algebra.reasons import reasons_at
from transforms.algebra.refused import newly_refused
from transforms.algebra.sessions import see_that_sessions_stand, sessions_at, visitors
from transforms.algebra.state import UNSURE, State
from transforms.algebra.study import Study
from transforms.algebra.tally import Tally


def advance(program: Program, state: State, arrived: Arrived, moment: Moment) -> tuple[State, dict[str, pa.Table]]:
    """Take in what has arrived, recompute whom it touches, and say what changed up to T, table by table.

    The tables are those that publishing stamps with K and the run: events, profiles, consents, transitions, closings, changes,
    exposed, upcoming, feature_rows, sessions, visitors, lifecycles, quarantine, verdicts, fates.

    Errors: Outdated, where news bears on what the state has forgotten of some subjects.
    """
    con = connect()
    before = state
    state, news = absorb(before, arrived, program.projection, con)
    con.close()
    closes = closing(before, state, news, moment)
    see_that_all_is_there(before, state, news, closes, moment)
    state = told_from_horizon(state, moment)
    heard = Heard.of(state, news, moment)
    touched = heard.anything | moment.everyone
    due = ~touched & _is_due(state, moment)
    seen = Study.of(program, state, np.flatnonzero(touched), moment, answered=True)
    studies = [seen]
    if due.any():
        studies.append(Study.of(program, state, np.flatnonzero(due), moment, answered=False))
    see_that_sessions_stand(program, before, studies, moment)
    refused = newly_refused(program, before, seen, moment)
    tally = Tally(program, state, news, refused, moment)
    passages = Passages(program, state, moment.at)
    state, moved = _believe(program, before, state, heard, studies, closes, moment)
    state, written = _restate(program, state, studies, tally, passages, moment)
    for study in studies:
        state = fold(program, state, study, moment)
    if moment.horizon_at > BEGINNING:
        state = without_record(state, flags(state.count, np.flatnonzero(is_recalled(before, moment))), moment)
    is_as_before = not (touched | due).any() and before.following_at > moment.at
    return before if is_as_before and before.verdicts.num_columns else state, {
        **news.facts,
        **moved,
        **written,
        "lifecycles": passages.counted,
        "quarantine": refused,
        "verdicts": tally.verdicts,
        "fates": tally.fates,
    }


def recalled(program: Program, state: State, stored: Arrived, moment: Moment, standing: pa.Table = NOBODY) -> State:
    """The state with facts about further subjects that were known before, and what was believed of them. All is due of them.

    Where events are gone, `standing` says what was published of them of before the horizon.
    """
    count = state.count
    con = connect()
    state, _ = absorb(state, stored, program.projection, con)
    con.close()
    state = told_from_horizon(with_standing(program, state, standing), moment)
    next_at, features_at = (ints(state.subjects[name], FOREVER).copy() for name in ("next_at", "features_at"))
    next_at[count:], features_at[count:] = moment.last_at, UNSURE
    state = state.with_instants(next_at=next_at, features_at=features_at)
    return state if moment.last_at == BEGINNING else _believing(program, state, np.arange(count, state.count), moment)


def _believing(program: Program, state: State, who: Ints, moment: Moment) -> State:
    """The state with what the facts of these subjects said up to the last T and K: what a step compares with."""
    before = replace(moment, at=moment.last_at, known_at=moment.known_before, everyone=False)
    study = Study.of(program, state, who, before, answered=True)
    fresh = continued(study.belief(program), believed(state, study.who), state)
    return rethought(state, study.who, fresh, moment.last_at)


def _is_due(state: State, moment: Moment) -> Flags:
    """The subjects about whom anything may change by T though there is no news of them."""
    at = ints(state.subjects["next_at"], FOREVER)
    return (np.minimum(at, ints(state.subjects["features_at"], FOREVER)) if moment.writes_features else at) <= moment.at


def _restate(
    program: Program, state: State, studies: list[Study], tally: Tally, passages: Passages, moment: Moment
) -> tuple[State, dict[str, pa.Table]]:
    """The feature rows and sessions of those studied, and the state with these, the verdicts, phases and what comes next."""
    next_at, written, sessions = ints(state.subjects["next_at"], FOREVER).copy(), [], []
    for study in studies:
        state, rows = write_features(program, state, study, moment)
        written.append(rows)
        visits, turning = sessions_at(program, study, moment.at)
        sessions.append(visits)
        next_at[study.who] = np.minimum.reduce([turning, tally.judge(study), passages.judge(study)])
    state = replace(state, verdicts=tally.remembered, lifecycles=passages.remembered)
    return state.with_instants(next_at=next_at), {
        "feature_rows": pa.concat_tables(written),
        "sessions": pa.concat_tables(sessions),
        "visitors": visitors(program, studies, moment.at),
    }


def _believe(
    program: Program, before: State, state: State, heard: Heard, studies: list[Study], closes: Flags, moment: Moment
) -> tuple[State, dict[str, pa.Table]]:
    """Publish what differs for those seen, the first of the studies, and what has fallen due for the others."""
    seen = studies[0]
    held = believed(state, seen.who)
    fresh = thought(program, state, seen, held, closes)
    waiting = falling_due(state, flags(state.count, seen.who), moment.at)
    due = waiting.take((waiting.at > moment.last_at) & (waiting.at <= moment.at))
    difference = differ(held, fresh, moment.last_at, moment.at)
    causes = Causes(program, before, state, heard, held, closes, moment)
    exposed = causes.exposed(difference.corrections)
    tables = Publications(program, state)
    closings = difference.closings.take(np.full(len(difference.closings.key), not moment.everyone))
    inserts = fresh.take(fresh.at <= moment.at) if moment.everyone else difference.inserts
    changes = [
        *(tables.changes(one, reasons_at(program, state, studies, one, moment.known_at)) for one in (difference.news, due)),
        tables.corrected(difference.corrections, causes.of(difference.corrections, exposed)),
    ]
    moved = {
        "transitions": pa.concat_tables([tables.transitions(inserts), tables.transitions(due)]),
        "closings": tables.closings(closings),
        "changes": pa.concat_tables(changes),
        "exposed": tables.exposed(difference.corrections, exposed),
        "upcoming": tables.upcoming(merged(fresh, waiting.take(np.isin(waiting.key, due.key))), moment.at),
    }
    state = awaiting(state, np.unique(subject_of(waiting.key)), waiting, moment.at)
    return rethought(state, seen.who, fresh, moment.at), moved
