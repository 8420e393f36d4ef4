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
from transforms.algebra.exact import Number, decimals
from transforms.algebra.measure import Measure, total
from transforms.algebra.needs import Held
from transforms.algebra.order import BEGINNING, Flags, Ints, firsts, in_turn, lasts
from transforms.algebra.program import Moment, Program
from transforms.algebra.state import BASES, WEIGHTS, State
from transforms.algebra.study import Study
from transforms.algebra.view import View

_WIDEST = 10**37
"""Sums beyond this have no room in a state: their events stay."""


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

    What restricts may be lifted again, links move events, and facts that K hides come into sight: who has such keeps all.
    """
    floor_at = max(moment.at - program.project.state_reach, BEGINNING + 1)
    cut_at = max(floor_at - program.memory.reach, BEGINNING + 1)
    facts = study.facts
    past = facts.at <= cut_at
    if not past.any():
        return state
    past &= _foldable(state, study, moment, floor_at, cut_at)[facts.who]
    kept, sums = ~past | firsts(facts.who), list[_Sums]()
    for purposes, need in program.memory.held:
        view = study.view(purposes)
        held = _of_the_past(view, need.held(view), past, floor_at)
        kept[view.timeline.row[held.chosen[need.stays(held.rows, held.values)]]] = True
        if need.summed is not None:
            sums.append(_summed(view, held, *need.summed(purposes)))
    folding = flags(len(study.who), facts.who[~kept])
    for one in sums:
        folding[one.too_wide] = False
    kept |= ~folding[facts.who]
    who = study.who[folding]
    state = _without_events(state, study, moment, kept)
    state = replace(state, subjects=_marked(state, who, floor_at, cut_at), belief=_since(state, who, floor_at))
    return replace(state, bases=replaced(state.bases, who, _bases(study, sums, folding)))


def continued(fresh: Belief, held: Belief, state: State) -> Belief:
    """A fresh belief about subjects of whom a state tells nothing up to the floor: what was held up to then goes on."""
    if state.is_whole:
        return fresh
    told, known = (belief.at > state.floors[subject_of(belief.key)] for belief in (fresh, held))
    return merged(held.take(~known), fresh.take(told))


def _foldable(state: State, study: Study, moment: Moment, floor_at: int, cut_at: int) -> Flags:
    """The studied subjects of whom nothing that is forgotten now can come to matter again."""
    stays = _linked(state)
    for rows in state.facts.values():
        stays |= flags(state.count, ints(rows[WHO], 0)[ints(rows["received_at"], 0) > moment.known_at])
    consents = state.facts["consents"]
    stays |= flags(state.count, ints(consents[WHO], 0)[codes(consents["action"], (Action.RESTRICT.name,)) == 0])
    foldable: Flags = ~stays[study.who]
    for view in study.evaluation.views.values():
        foldable[_unevenly_fed(view, floor_at, cut_at)] = False
    return foldable


def _linked(state: State) -> Flags:
    """The subjects that any link names."""
    links = state.facts["identities"]
    named = flags(state.count, ints(links[WHO], 0))
    other = codes(links["to_id"], state.ids)
    named[other[other >= 0]] = True
    return named


def _unevenly_fed(view: View, floor_at: int, cut_at: int) -> Ints:
    """Subjects whose stints in use after the floor are not all fed by the same events of the past, or by none of them."""
    stints = view.timeline.stints
    fed = np.flatnonzero((stints.use_to > floor_at) & (stints.event_from <= cut_at))
    subject, begins = stints.subject[fed], stints.event_from[fed]
    uneven = stints.event_to[fed] <= cut_at
    uneven[1:] |= (subject[1:] == subject[:-1]) & (begins[1:] != begins[:-1])
    return subject[uneven]


def _of_the_past(view: View, held: Held, past: Flags, floor_at: int) -> Held:
    """The contributions of events of the past that last beyond the floor."""
    some = past[view.timeline.row[held.chosen]] & (held.rows.stop > floor_at)
    return Held(held.rows.take(some), held.chosen[some], held.values.take(some))


def _summed(view: View, held: Held, leaf: str, measure: Measure) -> _Sums:
    """The sums of the weights of each subject's events, by one of the stints that they feed."""
    stint = held.rows.who
    subject = view.timeline.stints.subject[stint]
    once = np.isin(stint, stint[firsts(stint)][firsts(subject[firsts(stint)])]) if len(stint) else np.empty(0, np.bool_)
    values, subject = held.values.take(once), subject[once]
    count = len(view.timeline.facts.subjects)
    sums = [total(subject, weight, count) for weight in values.borne(measure.amounts(values))]
    who = subject[firsts(subject)] if len(subject) else subject
    return _Sums(leaf, who, [weight[who] for weight in sums])


def _without_events(state: State, study: Study, moment: Moment, kept: Flags) -> State:
    """The state with those of the events that the study has seen."""
    events = state.facts["events"]
    seen = rows_of(events, study.who)[0]
    seen = seen[ints(events["received_at"], 0)[seen] <= moment.known_at]
    stays = np.ones(len(events), np.bool_)
    stays[seen[~kept]] = False
    return replace(state, facts={**state.facts, "events": events.filter(pa.array(stays))})


def _marked(state: State, who: Ints, floor_at: int, cut_at: int) -> pa.Table:
    subjects = state.subjects
    for name, at in (("floor_at", floor_at), ("cut_at", cut_at)):
        column = ints(subjects[name], BEGINNING).copy()
        column[who] = at
        subjects = subjects.set_column(subjects.column_names.index(name), name, pa.array(column))
    return subjects


def _since(state: State, who: Ints, floor_at: int) -> pa.Table:
    """The belief, of these subjects of what lies up to the floor only the memberships that it falls into."""
    belief = state.belief
    segment, owner, at = (ints(belief[name], 0) for name in ("segment", WHO, "at"))
    before = flags(state.count, who)[owner] & (at <= floor_at)
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
