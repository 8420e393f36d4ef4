"""Why an answer changed at an instant: the first that applies of consent, profile, event, expiry."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.kinds import EVENTS, PROFILES, SCORES
from transforms.algebra.belief import Belief
from transforms.algebra.claims import EVERY_PURPOSE, WHO, ints
from transforms.algebra.order import Flags, Ints, order, search
from transforms.algebra.program import Program
from transforms.algebra.state import State
from transforms.algebra.study import Study

_NAMES = pa.array(["consent", "profile", "event", "expiry"])


def reasons_at(program: Program, state: State, studies: Sequence[Study], belief: Belief, known_at: int) -> pa.Array:
    """By what was received by K and lies at the instant of each transition; where nothing does, time has passed.

    Keys are segment * count + subject. Whoever has an act of the ledger after the last T is among those studied.
    """
    if not len(belief.key):
        return pa.array([], pa.string())
    segment, who = np.divmod(belief.key, state.count)
    consented = np.zeros(len(who), np.bool_)
    served = [program.project.segments[name].purposes for name in program.segments]
    for purposes in set(served):
        mine = np.isin(segment, [place for place, one in enumerate(served) if one == purposes])
        consented[mine] = _present(*_acts(studies, purposes), who[mine], belief.at[mine])
    asked = np.zeros(state.count, np.bool_)
    asked[who] = True
    there = {
        kind.name: _present(*_instants(state.facts[kind.name], kind.at, asked, known_at), who, belief.at)
        for kind in (PROFILES, SCORES, EVENTS)
    }
    told = [consented, there["profiles"] | there["scores"], there["events"]]
    return _NAMES.take(pa.array(np.select(told, [0, 1, 2], 3)))


def _acts(studies: Sequence[Study], purposes: Sequence[str]) -> tuple[Ints, Ints]:
    """The (subject, instant) of every act of the ledger on any of the purposes, on all channels; in order."""
    who, at = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for study in studies:
        entries, registered = study.facts.grounds.ledger, study.facts.grounds.registered
        wanted = [EVERY_PURPOSE, *(registered.index(name) for name in purposes)]
        governs = (np.isin(entries.rows.purpose, wanted) & (entries.rows.channel == 0))[entries.act]
        who.append(study.who[entries.who[entries.act[governs]]])
        at.append(entries.at[governs])
    return _in_order(np.concatenate(who), np.concatenate(at))


def _instants(rows: pa.Table, column: str, asked: Flags, known_at: int) -> tuple[Ints, Ints]:
    """The (subject, instant) of what is seen of the subjects asked for, in order."""
    who = ints(rows[WHO], 0)
    chosen = np.flatnonzero(asked[who] & (ints(rows["received_at"], 0) <= known_at))
    return _in_order(who[chosen], ints(rows[column], 0)[chosen])


def _in_order(who: Ints, at: Ints) -> tuple[Ints, Ints]:
    index = order(who, at)
    return who[index], at[index]


def _present(who: Ints, at: Ints, sought_who: Ints, sought_at: Ints) -> Flags:
    """Whether each (who, at) sought is among those sorted."""
    low = search(who, at, sought_who, sought_at)
    found = low < len(who)
    found[found] = (who[low[found]] == sought_who[found]) & (at[low[found]] == sought_at[found])
    return found
