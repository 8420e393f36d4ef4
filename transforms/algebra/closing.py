"""What stands of a record that can not be computed again: what was told of before the horizon, less what consent closes.

Consents are never forgotten. News of them that is dated before the horizon can take away what was told of then, and nothing can
give it back: the events of another epoch may be gone.
"""

import numpy as np

from transforms.algebra.belief import Belief, segment_of, subject_of
from transforms.algebra.folding import continued
from transforms.algebra.order import FOREVER, Flags, Ints, lasts, search
from transforms.algebra.program import Program
from transforms.algebra.sharing import opened
from transforms.algebra.state import State
from transforms.algebra.stints import crossed
from transforms.algebra.study import Study


def thought(program: Program, state: State, study: Study, held: Belief, closing: Flags) -> Belief:
    """The belief about those studied, after what was held of them before their floors.

    Of whom consent is `closing`, each membership of then ends at the first instant at which a purpose of its segment is closed.
    """
    if not closing[study.who].any():
        return continued(study.belief(program), held, state)
    some = closing[subject_of(held.key)]
    before = some & (held.at < state.floors[subject_of(held.key)])
    left = _still_open(program, study, held.take(some), before[some])
    both = Belief(*(np.concatenate(pair) for pair in zip(held.take(~some), left, strict=True)))
    in_order = both.take(np.lexsort((both.at, both.key)))
    return continued(study.belief(program), in_order, state)


def _still_open(program: Program, study: Study, held: Belief, before: Flags) -> Belief:
    """What is held, its memberships of before cut where a purpose closes."""
    begins = np.flatnonzero(held.member)
    ended = ~lasts(held.key)[begins]
    to_at = np.where(ended, np.append(held.at, FOREVER)[begins + 1], FOREVER)
    until = np.where(before[begins], np.minimum(to_at, _closes_at(program, study, held.take(begins))), to_at)
    left = until > held.at[begins]
    key, from_at, until = held.key[begins[left]], held.at[begins[left]], until[left]
    ends = until < FOREVER
    member = np.arange(len(key) + int(ends.sum())) < len(key)
    return Belief(np.concatenate((key, key[ends])), np.concatenate((from_at, until[ends])), member)


def _closes_at(program: Program, study: Study, begins: Belief) -> Ints:
    """For each beginning of a membership the first instant from then on at which a purpose of its segment is closed."""
    closes_at = np.full(len(begins.key), FOREVER)
    segment, who = segment_of(begins.key), np.searchsorted(study.who, subject_of(begins.key))
    purposes = [program.project.segments[name].purposes for name in program.segments]
    for asked in {purposes[place] for place in np.unique(segment).tolist()}:
        some = np.flatnonzero(np.isin(segment, [place for place, named in enumerate(purposes) if named == asked]))
        use = opened(crossed(study.facts.judged, asked), study.facts.kin)
        index = search(use.who, use.from_at, who[some], begins.at[some], "right") - 1
        owner, to_at = np.append(use.who, -1)[index], np.append(use.to_at, 0)[index]
        is_open = (index >= 0) & (owner == who[some]) & (begins.at[some] < to_at)
        closes_at[some] = np.where(is_open, to_at, begins.at[some])
    return closes_at
