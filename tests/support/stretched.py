"""Worlds with everything so many times as far apart: what is one week becomes a year, while windows stay as long as they are."""

from dataclasses import replace
from typing import Any

from tests.support.generator import START
from tests.support.oracle_model import World
from tests.support.whole_runs import KINDS

_INSTANTS = ("occurred_at", "valid_from", "claimed_at", "linked_at", "received_at", "expires_at")


def stretched(world: World, times: int) -> World:
    """The world with everything so many times as far apart: what is one week becomes a year."""

    def later(fact: Any) -> Any:
        said = {name: getattr(fact, name) for name in _INSTANTS if getattr(fact, name, None) is not None}
        return replace(fact, **{name: stretch(at, times) for name, at in said.items()})

    return replace(world, **{kind: tuple(map(later, getattr(world, kind))) for kind in KINDS})


def stretch(at: int, times: int) -> int:
    return START + (at - START) * times
