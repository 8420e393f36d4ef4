"""Why an answer changed at an instant: the first that applies of consent, identity, profile, event, expiry."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.kinds import KINDS
from transforms.algebra.absorb import flags
from transforms.algebra.belief import Belief, segment_of, subject_of
from transforms.algebra.claims import EVERY_PURPOSE, WHO, ints
from transforms.algebra.coded import listed
from transforms.algebra.order import Flags, Ints, order, search
from transforms.algebra.program import Program
from transforms.algebra.state import State
from transforms.algebra.study import Study

_DATED = {"identity": ("identities",), "profile": ("profiles", "scores"), "event": ("events",)}
"""The reasons after consent, and the kinds of facts that each is by."""
_NAMES = pa.array(["consent", *_DATED, "expiry"])
_BUCKETS, _ODD = 1 << 20, np.int64(0x1E3779B97F4A7C15)


def reasons_at(program: Program, state: State, studies: Sequence[Study], belief: Belief, known_at: int) -> pa.Array:
    """By what was received by K and lies at the instant of each transition; where nothing does, time has passed.

    Whoever has an act of the ledger after the last T is among those studied. What is said of an id may tell of any that it was
    ever linked with.
    """
    group = np.arange(state.count) if state.groups is None else state.groups
    segment, who = segment_of(belief.key), group[subject_of(belief.key)]
    sought = _Instants(who, belief.at, _bucket(who, belief.at))
    code = np.full(len(who), len(_NAMES) - 1)
    asked = flags(state.count, who)
    for cause, kinds in reversed([*enumerate(_DATED.values(), 1)]):
        for name in kinds:
            code[_present(*_instants(state.facts[name], KINDS[name].at, asked, group, known_at), sought)] = cause
    served = [program.project.segments[name].purposes for name in program.segments]
    for purposes in set(served):
        mine = np.flatnonzero(np.array([one == purposes for one in served])[segment])
        of_them = sought if len(mine) == len(who) else sought.take(mine)
        code[mine[_present(*_acts(studies, purposes, group), of_them)]] = 0
    return listed(code, _NAMES)


class _Instants(NamedTuple):
    """Subjects and instants that are sought, and a hash of each pair."""

    who: Ints
    at: Ints
    bucket: Ints

    def take(self, rows: Ints) -> "_Instants":
        """Some of them."""
        return _Instants(self.who[rows], self.at[rows], self.bucket[rows])


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


def _present(who: Ints, at: Ints, sought: _Instants) -> Flags:
    """Whether each (who, at) sought is among those sorted. Most are not, and most of these are told by the hash."""
    there = np.zeros(_BUCKETS, np.bool_)
    there[_bucket(who, at)] = True
    found = there[sought.bucket]
    rows = np.flatnonzero(found)
    low = search(who, at, sought.who[rows], sought.at[rows])
    inside = np.minimum(low, len(who) - 1)
    found[rows] = (who[inside] == sought.who[rows]) & (at[inside] == sought.at[rows])
    return found


def _bucket(who: Ints, at: Ints) -> Ints:
    mixed = (at ^ (who * _ODD)) * _ODD  # past the range of integers, which does not matter to a hash
    return (mixed >> 40) & (_BUCKETS - 1)
