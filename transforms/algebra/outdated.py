"""What a state can not answer any more by itself: news about what it has forgotten (semantics 2.3)."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.consent import RESTRICTIVE
from schemas.kinds import KINDS
from transforms.algebra.absorb import News, flags
from transforms.algebra.by_subject import rows_of
from transforms.algebra.claims import WHO, Action, codes, ints
from transforms.algebra.coded import plain
from transforms.algebra.heard import shown
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, different
from transforms.algebra.profiles import Profiles
from transforms.algebra.program import Moment
from transforms.algebra.state import State

_DECIDING = ("birth_date", "country", "timezone")
"""The columns of profiles by which it is told whether consent held, and when, also in retrospect."""


class Outdated(Exception):
    """News bears on what has been folded.

    Attributes:
      subjects: the ids of those whom it concerns. All their facts are needed to go on.
    """

    def __init__(self, subjects: pa.Array) -> None:
        super().__init__(f"{len(subjects)} subjects are to be made anew from all their facts")
        self.subjects = subjects


def see_that_all_is_there(before: State, after: State, news: News, closing: Flags, moment: Moment) -> None:
    """See that the state holds all that the news, which has entered it, bears on, as far as any of it is left.

    `closing`: of whom it may take back what was told of before the horizon; that is to be there, too.

    Errors: Outdated.
    """
    if before.is_whole:
        return
    asked = np.logical_or.reduce([flags(after.count, who) for who in _concerned(before, after, news)])
    asked = after.related(asked) & after.forgets(moment)
    if not moment.everyone:
        asked[: before.count] |= closing[: before.count] & ~is_recalled(before, moment)
    if asked.any():
        raise Outdated(after.ids.filter(pa.array(asked)))


def is_recalled(state: State, moment: Moment) -> Flags:
    """Who of a state that is about to be advanced was made anew for it, with all that was published of before the horizon."""
    return ints(state.subjects["next_at"], FOREVER) <= moment.last_at


def closing(before: State, after: State, news: News, moment: Moment) -> Flags:
    """Of whom news may close a purpose before the horizon, or of whom it may be one with."""
    if moment.horizon_at == BEGINNING:
        return np.zeros(after.count, np.bool_)
    return after.related(np.logical_or.reduce([flags(after.count, who) for who in _closing(before, after, news, moment)]))


def see_that_nobody_is_torn_away(state: State, leaving: pa.Array, moment: Moment) -> None:
    """See that with some subjects all leave of whom sums are kept that these may bear on. Errors: Outdated."""
    leaves = np.asarray(pc.is_in(state.ids, value_set=leaving)).astype(np.bool_)
    torn = state.related(leaves) & ~leaves & state.forgets(moment)
    if torn.any():
        raise Outdated(state.ids.filter(pa.array(torn)))


def _concerned(before: State, after: State, news: News) -> Iterator[Ints]:
    """Whom news may concern in the past: what is dated then or takes the place of another, and what reaches back from later."""
    for name, kind in KINDS.items():
        rows, who = news.facts[name], news.who[name]
        dated = ints(rows[kind.at], BEGINNING) <= after.floors[who]
        yield who[dated | np.asarray(rows["replaces"]).astype(np.bool_)]
    consents, who = news.facts["consents"], news.who["consents"]
    claimed = ints(consents["claimed_at"], BEGINNING) <= after.floors[who]
    yield who[claimed | (codes(consents["action"], (Action.INVALIDATE.name,)) == 0)]
    yield _with_twins(before.facts["consents"], consents, who)
    yield _otherwise(before, after, different(news.who["profiles"]))
    yield news.who["identities"]
    other = codes(news.facts["identities"]["to_id"], after.ids)
    yield other[other >= 0]


def _closing(before: State, after: State, news: News, moment: Moment) -> Iterator[Ints]:
    """Whom news of before the horizon concerns that restricts, or of another age, country or zone."""
    consents, who = news.facts["consents"], news.who["consents"]
    restricts = codes(consents["action"], RESTRICTIVE) >= 0
    restricts |= codes(consents["payload_kind"], ("snapshot",)) >= 0  # it withdraws what it leaves out
    yield who[restricts & _is_dated_before(consents, moment.horizon_at)]
    yield _with_twins(before.facts["consents"], consents, who)
    yield _otherwise(before, after, different(news.who["profiles"]), moment.horizon_at)
    for name, is_dated in (("consents", _is_dated_before), ("profiles", _is_valid_before)):
        seen = after.facts[name].take(pa.array(shown(after.facts[name], moment)))
        yield ints(seen[WHO], 0)[is_dated(seen, moment.horizon_at)]


def _is_dated_before(consents: pa.Table, at: int) -> Flags:
    """Which rows of the ledger may act before an instant."""
    dated = np.minimum(ints(consents["claimed_at"], BEGINNING), ints(consents["effective_at"], BEGINNING)) < at
    return dated | (codes(consents["action"], (Action.INVALIDATE.name,)) == 0)


def _is_valid_before(profiles: pa.Table, at: int) -> Flags:
    return ints(profiles["valid_from"], BEGINNING) < at


def _with_twins(held: pa.Table, new: pa.Table, who: Ints) -> Ints:
    """Of whose new rows of the ledger one shares its id with one that is there: it may be what made it a fact."""
    if not len(who):
        return who
    mine = held.take(pa.array(rows_of(held, different(who))[0]))
    keys, others = _ids(mine, ints(mine[WHO], 0)), _ids(new, who)
    return who[np.asarray(pc.is_in(others, value_set=keys)).astype(np.bool_)]


def _ids(rows: pa.Table, who: Ints) -> pa.Array:
    parts = (pa.array(who).cast(pa.string()), plain(rows["source"]), plain(rows["event_id"]))
    return pc.binary_join_element_wise(*parts, "\0")


def _otherwise(before: State, after: State, who: Ints, until: int = FOREVER) -> Ints:
    """Who of these is of another age, country or zone by what is known now, at whatever time, or before an instant."""
    ids = after.ids.take(pa.array(who))
    found = [_lived(state, who, ids) for state in (before, after)]
    rows = pa.concat_tables(found).group_by(["who", "column", "at", "value"]).aggregate([([], "count_all")])
    alone = rows.filter(pc.and_(pc.equal(rows["count_all"], 1), pc.less(rows["at"], until)))
    return who[different(alone["who"].to_numpy())]


def _lived(state: State, who: Ints, ids: pa.Array) -> pa.Table:
    """When which of the deciding columns of each subject's profile changes, and to what."""
    rows = state.facts["profiles"]
    index, local = rows_of(rows, who)
    profiles = Profiles(rows.take(pa.array(index)).set_column(0, WHO, pa.array(local.astype(np.int32))), ids)
    parts = []
    for place, name in enumerate(_DECIDING):
        steps, values = profiles.column(name)
        said = plain(values).cast(pa.string()).take(pa.array(steps.value, mask=steps.value < 0))
        parts.append(pa.table({"who": steps.who, "column": np.full(len(steps.who), place), "at": steps.at, "value": said}))
    return pa.concat_tables(parts)
