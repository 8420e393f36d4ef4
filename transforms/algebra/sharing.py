"""What ids that are one subject share: refusals, and the events that each of them may give (semantics 6.3)."""

from functools import cached_property
from typing import TypeVar

import numpy as np

from transforms.algebra.claims import permissive
from transforms.algebra.epochs import Grounds
from transforms.algebra.kin import Kin
from transforms.algebra.ledger import Ledger
from transforms.algebra.order import Flags, Ints, firsts, order, search, spread
from transforms.algebra.pieces import Pieces, Sources, Stints, meetings
from transforms.algebra.profiles import Profiles

Rows = TypeVar("Rows", Stints, Sources)


class SharedGrounds(Grounds):
    """The grounds of ids and, behind them, of entries of `kin`: their ledger, and the profiles of `owners`."""

    def __init__(self, own: Grounds, entries: Ledger, owners: Ints, also: Grounds | None = None) -> None:
        self.project, self.registered = own.project, own.registered
        self.count, self.ledger, self.also = entries.subjects, entries, also
        self._own, self._owners, self._standings = own, owners, {}

    @cached_property
    def profiles(self) -> Profiles:
        """The profiles, those of the owners for entries."""
        return self._own.profiles.lent(self._owners)


def shared(own: Grounds, kin: Kin) -> Grounds:
    """What verdicts rest on, for each id and behind them for each entry of `kin`.

    An entry has the ledger of its id and all that restricts any id of its tree; grants never cross. Its profile is its root's.
    What was granted must hold by its own as well, else a merge would open what was closed.
    """
    entries = _shared(own.ledger, kin)
    return SharedGrounds(own, entries, kin.root, also=SharedGrounds(own, entries, kin.who))


def _shared(own: Ledger, kin: Kin) -> Ledger:
    """The ledger and behind it that of each entry: its id's acts, and the restrictive ones of its tree, in order."""
    restricts = ~permissive(own.rows.action[own.act])
    entry, act = _acts_of(own, kin.who, np.ones(len(own.act), np.bool_))
    one, other = kin.among(kin.tree, _who_acts(own, restricts))
    one, other = one[one != other], other[one != other]
    pair, crossing = _acts_of(own, kin.who[other], restricts)
    entry, act = np.concatenate((entry, one[pair])), np.concatenate((act, crossing))
    index = np.lexsort((own.rows.action[own.act[act]], own.at[act], entry))
    entry, row, at = entry[index], own.act[act[index]], own.at[act[index]]
    return own._replace(
        subjects=own.subjects + len(kin.who),
        who=np.concatenate((own.who, own.subjects + entry)),
        row=np.concatenate((own.row, own.row[row])),
        rows=own.rows.take(np.concatenate((np.arange(len(own.who)), row))),
        act=np.concatenate((own.act, len(own.who) + np.arange(len(row)))),
        at=np.concatenate((own.at, at)),
    )


def _who_acts(own: Ledger, acts: Flags) -> Flags:
    """The subjects of some acts."""
    who = np.zeros(own.subjects, np.bool_)
    who[own.who[own.act[acts]]] = True
    return who


def _acts_of(own: Ledger, who: Ints, wanted: Flags) -> tuple[Ints, Ints]:
    """The wanted acts of each of some subjects, as (place among the subjects, act)."""
    acts = np.flatnonzero(wanted)
    whose = own.who[own.act[acts]]
    place, found = spread(*(np.searchsorted(whose, who, side) for side in ("left", "right")))
    return place, acts[found]


def gathered(stints: Stints, kin: Kin) -> tuple[Stints, Sources]:
    """The stints of subjects and what feeds each, from those of ids and entries.

    An id alone has its own. A root is in use where its entry is, and has the events of every id of its tree whose entry is in
    use then, too. A merged id has none.
    """
    alone = stints.subject < kin.count
    single = _within(stints, alone, kin.single)
    number = kin.count + np.arange(len(kin.who))
    theirs = _within(stints, ~alone, Pieces(number, kin.from_at, kin.to_at, kin.who))
    shared = _cut(theirs, kin)
    fed, giver = _givers(theirs, shared, kin)
    own = Sources(np.arange(len(single.subject)), *single[:3])
    given = Sources(len(single.subject) + fed, *(column[giver] for column in theirs[:3]))
    stints, sources = _joined(single, shared), _joined(own, given)
    whose = np.concatenate((np.arange(kin.count), kin.who))
    return _in_order(stints._replace(subject=whose[stints.subject]), sources._replace(who=whose[sources.who]))


def opened(stints: Stints, kin: Kin | None) -> Pieces:
    """When each id is open at all, as it is judged then: by its own number, or by that of its entry. Pieces do not touch."""
    if kin is not None:
        number = np.concatenate((kin.single.who, kin.count + np.arange(len(kin.who))))
        from_at, to_at = (np.concatenate(pair) for pair in zip(kin.single[1:3], (kin.from_at, kin.to_at), strict=True))
        stints = _within(stints, stints.subject >= 0, Pieces(number, from_at, to_at, number))
        whose = np.concatenate((np.arange(kin.count), kin.who))
        stints = stints._replace(subject=whose[stints.subject])
    index = order(stints.subject, stints.use_from)
    who, from_at, to_at = stints.subject[index], stints.use_from[index], stints.use_to[index]
    begins = firsts(who)
    begins[1:] |= from_at[1:] > to_at[:-1]
    ends = np.append(begins[1:], True)[: len(begins)]
    return Pieces(who[begins], from_at[begins], to_at[ends], who[begins])


def _within(stints: Stints, chosen: Flags, times: Pieces) -> Stints:
    """The stints chosen, as far as the times of their subject reach."""
    some = Stints._make(column[chosen] for column in stints)
    i, j = meetings(some.subject, some.use_from, some.use_to, times)
    use_from, use_to = np.maximum(some.use_from[i], times.from_at[j]), np.minimum(some.use_to[i], times.to_at[j])
    return Stints(some.subject[i], some.event_from[i], some.event_to[i], use_from, use_to)


def _cut(theirs: Stints, kin: Kin) -> Stints:
    """The stints of the entries that are roots, cut wherever the use of any id of the tree begins or ends."""
    tree = np.unique(kin.tree, return_inverse=True)[1][theirs.subject - kin.count]
    edge_tree, edge_at = np.concatenate((tree, tree)), np.concatenate((theirs.use_from, theirs.use_to))
    index = order(edge_tree, edge_at)
    edge_tree, edge_at = edge_tree[index], edge_at[index]
    new = firsts(edge_tree, edge_at)
    edge_tree, edge_at = edge_tree[new], edge_at[new]
    is_root = (kin.who == kin.root)[theirs.subject - kin.count]
    roots, of = Stints._make(column[is_root] for column in theirs), tree[is_root]
    low = search(edge_tree, edge_at, of, roots.use_from)
    high = search(edge_tree, edge_at, of, roots.use_to)
    stint, edge = spread(low, high)
    return Stints._make(column[stint] for column in roots)._replace(use_from=edge_at[edge], use_to=edge_at[edge + 1])


def _givers(theirs: Stints, shared: Stints, kin: Kin) -> tuple[Ints, Ints]:
    """For each shared stint those of its tree's ids that are in use: (place of the shared one, place of the giver)."""
    fed, entry = kin.among(kin.tree[shared.subject - kin.count])
    at = shared.use_from[fed]
    place = search(theirs.subject, theirs.use_from, kin.count + entry, at, "right") - 1
    found = place >= 0
    found &= (theirs.subject[place] == kin.count + entry) & (at < theirs.use_to[place])
    return fed[found], place[found]


def _joined(one: Rows, other: Rows) -> Rows:
    """The rows of both."""
    return type(one)._make(np.concatenate(pair) for pair in zip(one, other, strict=True))


def _in_order(stints: Stints, sources: Sources) -> tuple[Stints, Sources]:
    """Both by subject and time, the sources by stint."""
    index = order(stints.subject, stints.use_from)
    place = np.empty_like(index)
    place[index] = np.arange(len(index))
    stint = place[sources.stint]
    by_stint = np.argsort(stint, kind="stable")
    sources = sources._replace(stint=stint)
    return Stints._make(column[index] for column in stints), Sources._make(column[by_stint] for column in sources)
