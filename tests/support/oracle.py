"""The naive oracle: another way to compute the answer, row by row, each clause beside the number of its rule.

The law is semantics.md and consent.md; numbers such as 5.6 are semantics.md's. Nothing of the engine is imported.
"""



from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tests.support.oracle_aggregate import windowed
from tests.support.oracle_breakpoint import instants, segment_instants
from tests.support.oracle_model import Consent, Event, Json, Link, Profile, Score, Truth, World
from tests.support.oracle_operator import answer, purposes_of, truth_of
from tests.support.oracle_subject import Known, Person, View, names

__all__ = [
    "Consent",
    "Event",
    "Link",
    "Profile",
    "Score",
    "World",
    "breakpoints",
    "event_counts",
    "feature",
    "history",
    "member",
    "node_truth",
    "purpose_open",
    "survivor",
    "truth",
    "verdict",
]

_KNOWN: OrderedDict[tuple[int, int], Known] = OrderedDict()


def _known(world: World, K: int) -> Known:
    """The world at K, prepared once. The entry holds the world, so that its id means nothing else meanwhile."""
    key = (id(world), K)
    if key not in _KNOWN:
        _KNOWN[key] = Known(world, K)
        if len(_KNOWN) > 256:
            _KNOWN.popitem(last=False)
    return _KNOWN[key]


def _person(world: World, subject: str, T: int, K: int) -> Person:
    return _known(world, K).person(subject, T)


def survivor(world: World, subject: str, T: int, K: int) -> str:
    """6.3: the subject that the links known at K lead to at T."""
    return _person(world, subject, T, K).survivor.subject


def member(world: World, segment: str, subject: str, T: int, K: int) -> bool:
    """3.3: in the population at T, the purposes open at T, and the root true."""
    return answer(_known(world, K), segment, subject, T)


def truth(world: World, segment: str, subject: str, T: int, K: int) -> Truth:
    """The root's value, whatever population and purpose say."""
    definition = _known(world, K).segments[segment]
    return node_truth(world, definition["when"], purposes_of(definition), subject, T, K)


def node_truth(world: World, node: Json, purposes: tuple[str, ...], subject: str, T: int, K: int) -> Truth:
    """The value of one node in the epochs of these purposes; of a merged id, which is nobody, unknown."""
    person = _person(world, subject, T, K)
    return None if person.merged else truth_of(View(person, tuple(purposes), T), node)


def purpose_open(world: World, purpose: str, subject: str, T: int, K: int) -> bool:
    """Whether the purpose is open for the subject at T."""
    return _person(world, subject, T, K).open(purpose, T)


def event_counts(world: World, purpose_names: tuple[str, ...], event: Event, T: int, K: int) -> bool:
    """6.1 and 6.3 for one event, which must have been received by K (2.4): whether it counts for its subject at T."""
    person = _person(world, event.subject, T, K).survivor
    counted = person.counts(tuple(purpose_names), event.occurred_at, T, event.subject)
    return event.received_at <= K and counted


_REASONS = {
    "UNKNOWN": "NO_RECORD",
    "STALE": "STALE_VERSION",
    "EXPIRED": "EXPIRED",
    "WITHDRAWN": "WITHDRAWN",
    "INVALID": "WITHDRAWN",
    "GRANTED": "WITHDRAWN",  # in an epoch that a retroactive INVALIDATE made void
    "DENIED": "DENIED",
}


def verdict(world: World, purpose: str, channel: str, subject: str, t: int, T: int, K: int) -> str:
    """consent.md, "Reason codes, first match wins": may an event of time t be used at T, on that channel?

    Of an event that a merged id collected: by that id's own profile, by the survivor's, and of the survivor at T.
    """
    person = _person(world, subject, T, K)
    found = [_verdict(person, judge, purpose, channel, t, T) for judge in person.judges]
    if person.merged:
        found.append(_verdict(person.survivor, person.survivor, purpose, channel, T, T))
    return next((one for one in found if not one.startswith("ALLOW")), found[-1])


def _verdict(person: Person, judge: Person, purpose: str, channel: str, t: int, T: int) -> str:
    definition, gate = person.known.purposes[purpose], person.gate(purpose, "*", judge)
    step, epoch = gate.step_at(T), gate.epoch_at(T)
    gates = [gate] if channel == "*" else [gate, person.gate(purpose, channel, judge)]
    if step.state == "ERASED":
        return "SUPPRESSED"
    if any(one.step_at(T).restricted for one in gates):
        return "RESTRICTED"
    if definition.min_age is not None:
        ages = (person.survivor.age(t, T), person.survivor.age(T, T))
        if any(age is not None and age < definition.min_age for age in ages):
            return "MINOR"
        if None in ages:
            return "AGE_UNKNOWN"
    if step.state == "OBJECTED":
        return "OBJECTED"
    if epoch is None:
        if definition.needs_country() and not judge.profile_at(T).get("country"):
            return "JURISDICTION_UNKNOWN"
        if step.state == "UNKNOWN" and person.in_vain(definition, T, judge):
            return "MINOR"
        return _REASONS[step.state]
    if not epoch.holds(t):
        return "EVENT_OUTSIDE_EPOCH"
    # Channel rows gate export to that channel: one that is neither open nor silent is an opt-out.
    if any(one.epoch_at(T) is None and one.step_at(T).state != "UNKNOWN" for one in gates[1:]):
        return "CHANNEL_OPT_OUT"
    return f"ALLOW_{epoch.basis}"


_DOUBLES = ("mean", "variance", "share")


def feature(world: World, column: str, subject: str, T: int, K: int) -> Any:
    """The column `group__name_window` in its own group's purposes: null where missing or not open, counts too (4.5)."""
    known = _known(world, K)
    found, window = windowed(known, column)
    view = View(known.person(subject, T), names(found.group["purpose"]), T)
    if view.person.merged:  # 6.3: a merged id has no feature row
        return None
    if not all(view.person.open(purpose, T) for purpose in view.purposes):
        return None
    value = found.value(view, window)
    return float(Fraction(value)) if found.op in _DOUBLES and value is not None else value  # 4.3: DOUBLE in the column


def breakpoints(world: World, segment: str, subject: str, K: int) -> list[int]:
    """Every instant at which the answer could change; also some at which it does not."""
    return instants(segment_instants(_known(world, K), segment, subject))


def history(world: World, segment: str, subject: str, K: int) -> list[tuple[int, int | None]]:
    """The maximal intervals of membership (1.4), the last one open-ended where nothing known ends it."""
    known = _known(world, K)
    return intervals(lambda T: answer(known, segment, subject, T), breakpoints(world, segment, subject, K))


def intervals(holds: Callable[[int], bool], at: list[int]) -> list[tuple[int, int | None]]:
    """The maximal intervals in which a step function holds, asserting that it changes only at the instants given."""
    found: list[tuple[int, int | None]] = []
    since: int | None = None
    before = bool(at) and holds(at[0] - 1)
    assert not before, "member before the first breakpoint"
    for instant in at:
        assert holds(instant - 1) == before, f"flips between breakpoints, before {instant}"
        before = holds(instant)
        if before and since is None:
            since = instant
        elif not before and since is not None:
            found.append((since, instant))
            since = None
    return found if since is None else [*found, (since, None)]
