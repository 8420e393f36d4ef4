"""Folding: a state forgets the events on which no answer from the floor on depends, and keeps sums of others (semantics 2.3)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from transforms.algebra.absorb import flags
from transforms.algebra.belief import Belief, merged, subject_of
from transforms.algebra.by_subject import replaced, rows_of
from transforms.algebra.claims import WHO, Action, codes, ints
from transforms.algebra.columns import predicate_name
from transforms.algebra.exact import Number, decimals
from transforms.algebra.measure import Measure, total
from transforms.algebra.needs import Held
from transforms.algebra.order import BEGINNING, Flags, Ints, firsts, in_turn, lasts, order, stable_order
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import BASES, WEIGHTS, State
from transforms.algebra.study import Study
from transforms.algebra.view import View

_WIDEST = 10**37
"""Sums beyond this have no room in a state: their events stay."""
_PART = 10
"""Nobody is folded for less than such a part of the events."""


class _Sums(NamedTuple):
    """What a leaf adds up of the past of some subjects, who rise."""

    leaf: str
    who: Ints
    weights: Sequence[Number]

    @property
    def too_wide(self) -> Ints:
        """The subjects of whom a sum has no room."""
        return self.who[np.logical_or.reduce([np.abs(weight) >= _WIDEST for weight in self.weights]).astype(np.bool_)]


def fold(program: Program, state: State, study: Study, moment: Moment) -> State:
    """The state in which the studied subjects keep what answers from the floor on, `state_reach` before T, are made of.

    What is kept is told by who collected it, so that it holds for whomever links make its subject. What restricts may be
    lifted again, and facts that K hides come into sight: who has such keeps all, and so does who is linked to them.
    """
    floor_at = max(moment.at - program.project.state_reach, BEGINNING + 1)
    cut_at = max(floor_at - program.memory.reach, BEGINNING + 1)
    facts = study.facts
    past = facts.at <= cut_at
    worthwhile = _worthwhile(state, study, past)
    if not worthwhile.any():
        return state
    linked = _linked(state)
    past &= (worthwhile & _foldable(program, state, study, moment, floor_at, cut_at))[facts.who]
    kept, sums = ~past | firsts(facts.who), list[_Sums]()
    for purposes, need in program.memory.held:
        view = study.view(purposes)
        held = _of_the_past(view, need.held(view), past, floor_at)
        kept[view.timeline.row[held.chosen[need.stays(held.rows, held.values)]]] = True
        for reference in need.broken:
            kept |= facts.flags(predicate_name(reference)) & linked[study.who][facts.who]
        if need.summed is not None:
            sums.append(_summed(view, held, *need.summed(purposes)))
    for purposes, need in program.memory.held:
        if need.along is not None:
            view = study.view(purposes)
            kept[view.timeline.row[need.along(view, kept)]] = True
    folding = _together(state, study, flags(len(study.who), facts.who[~kept]))
    for one in sums:
        folding &= ~_together(state, study, flags(len(study.who), one.too_wide))
    kept |= ~folding[facts.who]
    who = study.who[folding]
    state = _without_events(state, study, moment, kept)
    state = _marked(state, who, floor_at=floor_at, cut_at=cut_at)
    return replace(state, belief=since(state, who, floor_at), bases=replaced(state.bases, who, _bases(study, sums, folding)))


def continued(fresh: Belief, held: Belief, state: State) -> Belief:
    """A fresh belief about subjects of whom a state tells nothing before the floor: what was held before then goes on.

    At the floor itself the answer turns where it is another than what was held.
    """
    if state.is_whole:
        return fresh
    before = held.take(held.at < state.floors[subject_of(held.key)])
    later = fresh.at > state.floors[subject_of(fresh.key)]
    until = fresh.take(~later)
    was, now = (belief.key[lasts(belief.key) & belief.member] for belief in (before, until))
    key = np.setxor1d(was, now, assume_unique=True)
    turns = Belief(key, state.floors[subject_of(key)], np.isin(key, now))
    return merged(merged(before, turns), fresh.take(later))


def _worthwhile(state: State, study: Study, past: Flags) -> Flags:
    """The studied subjects of whom a tenth of the events or more has become past since they were folded last."""
    facts, count = study.facts, len(study.who)
    newly = past & (facts.at > ints(state.subjects["cut_at"], BEGINNING)[study.who][facts.who])
    numbers = [np.bincount(facts.who[some], minlength=count) for some in (newly, slice(None))]
    return _together(state, study, (numbers[0] > 0) & (numbers[0] * _PART >= numbers[1]))


def _foldable(program: Program, state: State, study: Study, moment: Moment, floor_at: int, cut_at: int) -> Flags:
    """The studied subjects of whom nothing that is forgotten now can come to matter again."""
    stays = np.zeros(state.count, np.bool_)
    for rows in state.facts.values():
        stays[ints(rows[WHO], 0)[ints(rows["received_at"], 0) > moment.known_at]] = True
    consents = state.facts["consents"]
    stays[ints(consents[WHO], 0)[codes(consents["action"], (Action.RESTRICT.name,)) == 0]] = True
    for purposes in {purposes for purposes, _ in program.memory.held}:
        stays[study.who[_unevenly_fed(study.view(purposes), floor_at, cut_at)]] = True
    return ~state.related(stays)[study.who]


def _together(state: State, study: Study, some: Flags) -> Flags:
    """The studied subjects that are some of them, or may be one with one of them."""
    return state.related(flags(state.count, study.who[some]))[study.who]


def _linked(state: State) -> Flags:
    """The subjects that any link names."""
    links = state.facts["identities"]
    named = flags(state.count, ints(links[WHO], 0))
    other = codes(links["to_id"], state.ids)
    named[other[other >= 0]] = True
    return named


def _unevenly_fed(view: View, floor_at: int, cut_at: int) -> Ints:
    """Collectors who do not feed the same events of the past, or none of them, to all stints that are in use after the floor."""
    stint, who, event_from, event_to = view.timeline.sources
    fed = np.flatnonzero((view.timeline.stints.use_to[stint] > floor_at) & (event_from <= cut_at))
    fed = fed[order(who[fed], event_from[fed])]
    who, begins, ends = who[fed], event_from[fed], event_to[fed]
    uneven = ends <= cut_at
    uneven[1:] |= (who[1:] == who[:-1]) & (begins[1:] != begins[:-1])
    return who[uneven]


def _of_the_past(view: View, held: Held, past: Flags, floor_at: int) -> Held:
    """The contributions of events of the past that last beyond the floor; each stint's by who collected them, as if apart."""
    some = np.flatnonzero(past[view.timeline.row[held.chosen]] & (held.rows.stop > floor_at))
    collector = view.timeline.collector[held.chosen[some]]
    some = some[stable_order(held.rows.who[some], collector)]
    rows, chosen = held.rows.take(some), held.chosen[some]
    apart = firsts(rows.who, view.timeline.collector[chosen])
    return Held(rows._replace(who=np.cumsum(apart) - 1), chosen, held.values.take(some))


def _summed(view: View, held: Held, leaf: str, measure: Measure) -> _Sums:
    """The sums of the weights of each collector's events, by one of the stints that they feed."""
    collector = view.timeline.collector[held.chosen[firsts(held.rows.who)]]
    sums = [total(held.rows.who, weight, len(collector)) for weight in held.values.borne(measure.amounts(held.values))]
    who, once = np.unique(collector, return_index=True)
    return _Sums(leaf, who, [weight[once] for weight in sums])


def _without_events(state: State, study: Study, moment: Moment, kept: Flags) -> State:
    """The state with those of the events that the study has seen."""
    events = state.facts["events"]
    seen = rows_of(events, study.who)[0]
    seen = seen[ints(events["received_at"], 0)[seen] <= moment.known_at]
    stays = np.ones(len(events), np.bool_)
    stays[seen[~kept]] = False
    return replace(state, facts={**state.facts, "events": events.filter(pa.array(stays))})


def _marked(state: State, who: Ints, **instants: int) -> State:
    columns = {name: ints(state.subjects[name], BEGINNING).copy() for name in instants}
    for name, at in instants.items():
        columns[name][who] = np.maximum(columns[name][who], at)
    return state.with_instants(**columns)


def since(state: State, who: Ints, floor_at: int) -> pa.Table:
    """The belief, of these subjects of what lies before the floor only the memberships that last until then."""
    belief = state.belief
    segment, owner, at = (ints(belief[name], 0) for name in ("segment", WHO, "at"))
    before = flags(state.count, who)[owner] & (at < floor_at)
    stands = lasts(owner, segment, before) & np.asarray(belief["member"]).astype(np.bool_)
    return belief.filter(pa.array(~before | stands))


def _bases(study: Study, sums: Sequence[_Sums], folding: Flags) -> pa.Table:
    """The sums of those who fold, as a state keeps them."""
    parts = [BASES.empty_table()]
    for leaf, who, weights in {one.leaf: one for one in sums}.values():
        some = folding[who]
        columns = [decimals(weight[some], 38, 0) for weight in weights]
        nothing = [pa.nulls(int(some.sum()), pa.decimal128(38, 0))] * (len(WEIGHTS) - len(columns))
        names = pa.array([leaf]).take(pa.array(np.zeros(int(some.sum()), np.int64)))
        parts.append(pa.table([names, study.who[who[some]].astype(np.int32), *columns, *nothing], schema=BASES))
    rows = pa.concat_tables(parts)
    return rows.take(pa.array(in_turn(rows[WHO].to_numpy())))
