"""Why an answer changed at an instant: the first that applies of consent, identity, profile, event, expiry."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.kinds import KINDS
from transforms.algebra.belief import Belief
from transforms.algebra.claims import EVERY_PURPOSE, WHO, ints
from transforms.algebra.order import Flags, Ints, order, search
from transforms.algebra.program import Program
from transforms.algebra.state import State
from transforms.algebra.study import Study

_DATED = {"identity": ("identities",), "profile": ("profiles", "scores"), "event": ("events",)}
"""The reasons after consent, and the kinds of facts that each is by."""
_NAMES = pa.array(["consent", *_DATED, "expiry"])


def reasons_at(program: Program, state: State, studies: Sequence[Study], belief: Belief, known_at: int) -> pa.Array:
    """By what was received by K and lies at the instant of each transition; where nothing does, time has passed.

    Keys are segment * count + subject. Whoever has an act of the ledger after the last T is among those studied. What is said
    of an id may tell of any that it was ever linked with.
    """
    if not len(belief.key):
        return pa.array([], pa.string())
    segment, who = np.divmod(belief.key, state.count)
    group = np.arange(state.count) if state.groups is None else state.groups
    who = group[who]
    consented = np.zeros(len(who), np.bool_)
    served = [program.project.segments[name].purposes for name in program.segments]
    for purposes in set(served):
        mine = np.isin(segment, [place for place, one in enumerate(served) if one == purposes])
        consented[mine] = _present(*_acts(studies, purposes, group), who[mine], belief.at[mine])
    asked = np.zeros(state.count, np.bool_)
    asked[who] = True
    there = [consented]
    for kinds in _DATED.values():
        dated = (_instants(state.facts[name], KINDS[name].at, asked, group, known_at) for name in kinds)
        there.append(np.logical_or.reduce([_present(*instants, who, belief.at) for instants in dated]))
    return _NAMES.take(pa.array(np.select(there, range(len(there)), len(there))))


def _acts(studies: Sequence[Study], purposes: Sequence[str], group: Ints) -> tuple[Ints, Ints]:
    """The (group, instant) of every act of the ledger on any of the purposes, on all channels; in order."""
    who, at = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for study in studies:
        entries, registered = study.facts.grounds.ledger, study.facts.grounds.registered
        wanted = [EVERY_PURPOSE, *(registered.index(name) for name in purposes)]
        governs = (np.isin(entries.rows.purpose, wanted) & (entries.rows.channel == 0))[entries.act]
        who.append(group[study.who[entries.who[entries.act[governs]]]])
        at.append(entries.at[governs])
    return _in_order(np.concatenate(who), np.concatenate(at))


def _instants(rows: pa.Table, column: str, asked: Flags, group: Ints, known_at: int) -> tuple[Ints, Ints]:
    """The (group, instant) of what is seen of the groups asked for, in order."""
    who = group[ints(rows[WHO], 0)]
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
