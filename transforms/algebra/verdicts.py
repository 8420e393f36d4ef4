"""Verdicts: may an event be used at T for a purpose, and if not, the first reason why (consent.md)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.definitions.purpose import Purpose
from transforms.algebra.acts import first_in_vain, first_refusal
from transforms.algebra.ages import birthdays
from transforms.algebra.claims import CHANNELS, codes
from transforms.algebra.epochs import Grounds
from transforms.algebra.facts import Facts
from transforms.algebra.order import BEGINNING, FOREVER, Flags, Ints, value_at
from transforms.algebra.standing import BASES, CONSENT, State, epoch_at, restricted_at, state_at

REASONS = (
    *("SUPPRESSED", "RESTRICTED", "SOURCE_STALE", "MALFORMED_SIGNAL", "MINOR", "AGE_UNKNOWN", "OBJECTED"),
    *("JURISDICTION_UNKNOWN", "NO_RECORD", "STALE_VERSION", "EXPIRED", "WITHDRAWN", "DENIED", "EVENT_OUTSIDE_EPOCH"),
    *("CHANNEL_OPT_OUT", "BELOW_K", *(f"ALLOW_{basis}" for basis in BASES)),
)
"""In the order in which they are given: the first that applies."""

_CODE = {reason: code for code, reason in enumerate(REASONS)}
_GIVEN = {
    State.ERASED: "SUPPRESSED",
    State.OBJECTED: "OBJECTED",
    State.UNKNOWN: "NO_RECORD",
    State.STALE: "STALE_VERSION",
    State.EXPIRED: "EXPIRED",
    State.WITHDRAWN: "WITHDRAWN",
    State.INVALID: "WITHDRAWN",  # no reason of its own: like a withdrawal it ends what was granted
    State.DENIED: "DENIED",
    State.GRANTED: "ALLOW_legitimate_interest",
}
_OF_STATE = np.array([_CODE[_GIVEN[state]] for state in State])


class Judgement(NamedTuple):
    """One purpose at one T, an entry a subject: the code (index of REASONS) of the use, and which events it reaches.

    Events with event_from <= t < event_to count where `code` allows; `of_age_at` is the birthday `min_age` asks for.
    """

    code: Ints
    event_from: Ints
    event_to: Ints
    of_age_at: Ints


def judge(grounds: Grounds, purpose: Purpose, used_at: int, channel: str = "*") -> Judgement:
    """Judge the use at T of every subject, on a channel where one is given."""
    judged = _judged(grounds, purpose, used_at, channel)
    of_age_at = _of_age_at(grounds, purpose, used_at)
    if grounds.also is not None and purpose.asks_profiles:
        also = _judged(grounds.also, purpose, used_at, channel)
        code = np.minimum(judged.code, also.code)
        judged = Judgement(code, np.maximum(judged[1], also[1]), np.minimum(judged[2], also[2]), judged[3])
    _first(judged.code, np.flatnonzero(of_age_at == FOREVER), "AGE_UNKNOWN")
    _first(judged.code, np.flatnonzero((of_age_at > used_at) & (of_age_at != FOREVER)), "MINOR")
    for one in (grounds, grounds.also):
        vain_at = np.full(grounds.count, FOREVER) if one is None else _vain_at(one, purpose)
        _first(judged.code, np.flatnonzero((judged.code == _CODE["NO_RECORD"]) & (vain_at <= used_at)), "MINOR")
    return judged._replace(event_from=np.maximum(judged.event_from, of_age_at), of_age_at=of_age_at)


def _judged(grounds: Grounds, purpose: Purpose, used_at: int, channel: str) -> Judgement:
    """The judgement by the ledger and where people are, whatever their age."""
    who, at = np.arange(grounds.count), np.full(grounds.count, used_at)
    basis = value_at(grounds.bases(purpose), who, at).astype(np.int64)
    code = _CODE["ALLOW_consent"] + basis
    event_from, event_to = np.full(grounds.count, FOREVER), np.full(grounds.count, FOREVER)
    for index, judged in grounds.standings(purpose).items():
        here = who[basis == index]
        state, epoch = state_at(judged, here, at[here]), epoch_at(judged.epochs, here, at[here])
        code[here] = np.minimum(code[here], _OF_STATE[state])
        _first(code, here[restricted_at(judged, here, at[here])], "RESTRICTED")
        inside = state == State.GRANTED
        event_from[here[inside]] = judged.epochs.begin[epoch[inside]]
        event_to[here[inside]] = judged.epochs.end[epoch[inside]]
    _first(code, who[(event_from == FOREVER) & _nowhere(grounds, purpose, at)], "JURISDICTION_UNKNOWN")
    if channel != "*":
        _on_channel(code, grounds, purpose, CHANNELS.index(channel), at)
    return Judgement(code, event_from, event_to, np.full(grounds.count, BEGINNING))


def next_turns(grounds: Grounds, purpose: Purpose, used_at: int) -> Ints:
    """The next instant after T at which the judgement of each subject may change; FOREVER where there is none."""
    following = np.full(grounds.count, FOREVER)
    for one in (grounds, grounds.also):
        for who, at in () if one is None else _turns(one, purpose):
            later = at > used_at
            np.minimum.at(following, who[later], at[later])
    return following


def _vain_at(grounds: Grounds, purpose: Purpose) -> Ints:
    """When each subject's first grant came to nothing."""
    return first_in_vain(grounds.ledger, grounds.registered.index(purpose.id), grounds.vain(purpose))


def _turns(grounds: Grounds, purpose: Purpose) -> Iterator[tuple[Ints, Ints]]:
    """Every (subject, instant) at which what `judge` looks at changes."""
    yield grounds.bases(purpose)[:2]
    for judged in grounds.standings(purpose).values():
        yield judged.who, judged.at
        yield judged.epochs.who, judged.epochs.begin
        yield judged.epochs.who, judged.epochs.end
    if purpose.asks_country:
        yield grounds.profiles.column("country").steps[:2]
    if purpose.min_age is not None:
        yield np.arange(grounds.count), _vain_at(grounds, purpose)
        yield grounds.lives.who, grounds.lives.from_at
        yield grounds.lives.who, birthdays(grounds.lives, purpose.min_age)


def reasons(judgement: Judgement, who: Ints, at: Ints) -> Ints:
    """The code (index of REASONS) for each event of `who` at `at`: the use's own, else what keeps the event from it."""
    code, of_age_at = judgement.code[who], judgement.of_age_at[who]
    outside = (at < judgement.event_from[who]) | (at >= judgement.event_to[who])
    _first(code, outside, "EVENT_OUTSIDE_EPOCH")
    _first(code, (at < of_age_at) & (of_age_at != FOREVER), "MINOR")
    return code


def verdict_on(facts: Facts, purpose: Purpose, subject: str, used_at: int) -> str:
    """May the data of the subject be used at T, by the facts of all ids that were ever linked with it? One of REASONS."""
    number = facts.numbered_at(used_at)[facts.subjects.index(subject).as_py()]
    return REASONS[int(judge(facts.judged, purpose, used_at).code[number])]


def allows(code: Ints) -> Flags:
    """Whether each code lets the use happen."""
    return code >= _CODE["ALLOW_consent"]


def _first(code: Ints, where: Ints | Flags, reason: str) -> None:
    """Give the reason where no earlier one is given."""
    code[where] = np.minimum(code[where], _CODE[reason])


def _nowhere(grounds: Grounds, purpose: Purpose, at: Ints) -> Flags:
    """Whether the basis depends on a country that is not known at T."""
    if not purpose.asks_country:
        return np.zeros(grounds.count, np.bool_)
    country = grounds.profiles.column("country")
    nameless = np.append(codes(country.values.cast(pa.string()), ("",)) == 0, True)  # the last entry stands for none
    unknown: Flags = nameless[value_at(country.steps, np.arange(grounds.count), at)]
    return unknown


def _of_age_at(grounds: Grounds, purpose: Purpose, used_at: int) -> Ints:
    """When each subject is of age, by what is valid at T: BEGINNING if no age is asked for, FOREVER if unknown."""
    if purpose.min_age is None:
        return np.full(grounds.count, BEGINNING)
    known = grounds.lives
    valid = (known.from_at <= used_at) & (used_at < known.to_at)
    return birthdays(known, purpose.min_age)[valid]


def _on_channel(code: Ints, grounds: Grounds, purpose: Purpose, channel: int, at: Ints) -> None:
    """A channel is closed where its own rows refused it and no grant of its own is in force."""
    who, bases = np.arange(grounds.count), grounds.bases(purpose)
    refused = first_refusal(grounds.ledger, grounds.registered.index(purpose.id), channel) <= at
    for basis in grounds.standings(purpose):
        judged = grounds.run(purpose, basis, bases, channel)
        here = who[value_at(bases, who, at) == basis]
        state = state_at(judged, here, at[here])
        silent = (basis == CONSENT) & ~refused[here] & (state != State.OBJECTED)
        _first(code, here[(state != State.GRANTED) & ~silent], "CHANNEL_OPT_OUT")
        _first(code, here[restricted_at(judged, here, at[here])], "RESTRICTED")
