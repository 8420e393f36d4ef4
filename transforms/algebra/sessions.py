"""Sessions at one T: runs of the events that count, of any name, with silences of at most a gap (semantics 2 and 7)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas import session
from schemas.definitions.duration import write_duration
from schemas.definitions.sessions import CHANNEL, SessionsAsked
from transforms.algebra.coded import plain, whole
from transforms.algebra.columns import value_name
from transforms.algebra.folded import Folded
from transforms.algebra.in_use import next_opening, open_at
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, different, firsts, lasts, order
from transforms.algebra.outdated import Outdated
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import State
from transforms.algebra.study import Study
from transforms.algebra.view import View
from transforms.algebra.windows import later

NO_SESSIONS = session.STAGED.empty_table()


class Run(NamedTuple):
    """Sessions, an entry each: the places in the timeline of the first and the last event, how many, and if any is sought."""

    first: Ints
    last: Ints
    events: Ints
    converted: Flags


def sessions_at(program: Program, study: Study, at: int) -> tuple[pa.Table, Ints]:
    """The sessions of the studied subjects at T, and the next instant at which any of each one's may change."""
    changes, told = np.full(len(study.who), FOREVER), [NO_SESSIONS]
    for asked in program.sessions:
        view = study.view(asked.purposes)
        places, following = _counting(view, len(changes), at)
        np.minimum(changes, following, out=changes)
        told.append(_told(view, asked, _since(view, asked, _runs(view, asked, places), _told_from(study, view, at))))
    return pa.concat_tables(told), changes


def visitors(program: Program, studies: Sequence[Study], at: int) -> pa.Table:
    """Whose sessions are told anew, where any are asked for: also those who have none now.

    Of whom events are forgotten the sessions that had ended stay as they are told, for as long as what they are made of may
    be used.
    """
    return pa.concat_tables(
        [session.VISITORS.empty_table(), *(_visitors(study, asked, at) for study in studies for asked in program.sessions)]
    )


def see_that_sessions_stand(program: Program, before: State, studies: Sequence[Study], moment: Moment) -> None:
    """See that the sessions of whom events are forgotten are told already wherever they are to be. Errors: Outdated.

    They are not where what they are made of may be used again, or is now heard to have been usable, or others collected it:
    links may say so of an instant that has come.
    """
    asked = np.zeros(before.count, np.bool_)
    then = replace(moment, at=moment.last_at, known_at=moment.known_before)
    for study in studies if program.sessions and not before.is_whole else ():
        now = _feeds(program, study, moment.at, moment)
        who = different(np.concatenate([subject for subject, _ in now]))
        if len(who):
            earlier = _feeds(program, Study.of(program, before, who, then, answered=False), then.at, moment)
            for one, other in zip(now, earlier, strict=True):
                missing = _fed_otherwise(one, other)
                asked[missing[missing < before.count]] = True
    if asked.any():
        raise Outdated(before.ids.filter(pa.array(asked)))


def _feeds(program: Program, study: Study, at: int, moment: Moment) -> list[tuple[Ints, Ints]]:
    """For all sessions that are asked for, the pairs of a subject and of who collected what may be forgotten among them.

    What is gone from the warehouse is not: nobody can tell more of it.
    """
    folded = study.facts.folded
    if folded is None:
        return [(study.who[:0], study.who[:0])] * len(program.sessions)
    pairs = (fed_by_the_past(study.view(asked.purposes), folded, at, moment.gone_to_at) for asked in program.sessions)
    return [(study.who[subject], study.who[collector]) for subject, collector in pairs]


def _fed_otherwise(now: tuple[Ints, Ints], then: tuple[Ints, Ints]) -> Ints:
    """The subjects that are fed now, and not by those who fed them then; and those who feed them."""
    subject, collector = (np.concatenate(pair) for pair in zip(now, then, strict=True))
    index = order(subject, collector)
    alone = firsts(subject[index], collector[index]) & lasts(subject[index], collector[index])
    otherwise = np.intersect1d(subject[index[alone]], now[0])
    return np.concatenate((otherwise, now[1][np.isin(now[0], otherwise)]))


def _visitors(study: Study, asked: SessionsAsked, at: int) -> pa.Table:
    count, from_at = len(study.who), _told_from(study, study.view(asked.purposes), at)
    told = {
        "subject": study.facts.subjects,
        "purpose": _always("+".join(asked.purposes), count),
        "gap": _always(write_duration(asked.gap_us), count),
        "told_from_at": pa.array(from_at, mask=from_at == BEGINNING).cast(session.INSTANT),
    }
    return pa.table(told, schema=session.VISITORS)


def _told_from(study: Study, view: View, at: int) -> Ints:
    """From when on the sessions of each subject are told anew: all of them where nothing is forgotten that they are made of."""
    from_at, folded = np.full(len(study.who), BEGINNING), study.facts.folded
    if folded is not None:
        fed, _ = fed_by_the_past(view, folded, at)
        from_at[fed] = folded.floor_at[fed]
    return from_at


def fed_by_the_past(view: View, folded: Folded, at: int, gone_to_at: int = BEGINNING) -> tuple[Ints, Ints]:
    """Each subject whose stint in use at `at` is fed by events that may be forgotten, for ever, and who collected them.

    `gone_to_at`: a cut up to then is none.
    """
    stints, sources = view.timeline.stints, view.timeline.sources
    in_use = (stints.use_from <= at) & (at < stints.use_to)
    past = (folded.cut_at > gone_to_at)[sources.who] & (sources.event_from <= folded.cut_at[sources.who])
    feeds = np.flatnonzero(past & in_use[sources.stint] & (view.timeline.lookback is None))
    return stints.subject[sources.stint[feeds]], sources.who[feeds]


def _counting(view: View, count: int, at: int) -> tuple[Ints, Ints]:
    """The places of the events that count at T, and when each subject's next event begins to, or one of them ends."""
    timeline, stint = view.timeline, open_at(view, count, at)
    in_use = np.zeros(view.size, np.bool_)
    in_use[stint[stint >= 0]] = True
    there = in_use[timeline.who]
    until = np.full(len(timeline.at), FOREVER) if timeline.lookback is None else later(timeline.at, timeline.lookback)
    changes = np.where(timeline.at > at, timeline.at, until)
    following, moving = next_opening(view, count, at), np.flatnonzero(there & (changes > at))
    np.minimum.at(following, timeline.stints.subject[timeline.who[moving]], changes[moving])
    return np.flatnonzero(there & (timeline.at <= at) & (until > at)), following


def _runs(view: View, asked: SessionsAsked, places: Ints) -> Run:
    """Cut events, in order, where a silence is longer than the gap, or another subject's begin."""
    who, at = view.timeline.who[places], view.timeline.at[places]
    begins = firsts(who)
    begins[1:] |= at[1:] > later(at[:-1], asked.gap_us)
    first = np.flatnonzero(begins)
    events = np.diff(np.append(first, len(places)))
    sought = np.zeros(len(places), np.bool_)
    for reference in asked.sought:
        sought |= view.tells(places, reference) > 0
    converted = np.bincount(np.repeat(np.arange(len(first)), events)[sought], minlength=len(first)) > 0
    return Run(places[first], places[first + events - 1], events, converted)


def _since(view: View, asked: SessionsAsked, run: Run, from_at: Ints) -> Run:
    """The sessions that end later: of the others events may be forgotten."""
    subject = view.timeline.stints.subject[view.timeline.who[run.last]]
    lasting = later(view.timeline.at[run.last], asked.gap_us) > from_at[subject]
    return Run(run.first[lasting], run.last[lasting], run.events[lasting], run.converted[lasting])


def _told(view: View, asked: SessionsAsked, run: Run) -> pa.Table:
    """Sessions as they are staged."""
    timeline, facts = view.timeline, view.timeline.facts
    first, last = pa.array(timeline.row[run.first]), pa.array(timeline.row[run.last])
    ends = later(timeline.at[run.last], asked.gap_us)
    names = whole(facts.columns[value_name("event")])
    channel = value_name(CHANNEL)
    told = {
        "subject": facts.subjects.take(pa.array(timeline.stints.subject[timeline.who[run.first]])),
        "started_at": pa.array(timeline.at[run.first]).cast(session.INSTANT),
        "ended_at": pa.array(ends, mask=ends == FOREVER).cast(session.INSTANT),
        "events": pa.array(run.events),
        "entry": plain(names.take(first)),
        "exit": plain(names.take(last)),
        "channel": pa.nulls(len(first), pa.string()),
        "converted": pa.array(run.converted),
        "purpose": _always("+".join(asked.purposes), len(first)),
        "gap": _always(write_duration(asked.gap_us), len(first)),
        "first_source": plain(whole(facts.names["source"]).take(first)),
        "first_subject": facts.subjects.take(pa.array(facts.who[timeline.row[run.first]])),
        "first_event_id": whole(facts.names["event_id"]).take(first),
    }
    if channel in facts.columns.column_names:
        told["channel"] = plain(whole(facts.columns[channel]).take(first))
    return pa.table(told, schema=session.STAGED)


def _always(text: str, count: int) -> pa.Array:
    return pa.array([text], pa.string()).take(pa.array(np.zeros(count, np.int64)))
