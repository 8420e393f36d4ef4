"""The laws of verdicts over random ledgers: every pair of event and use, as the stints have it."""

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.definitions.project import Project
from tests.support.consent_rows import MINUTE, consents, minutes, profile, profiles, project, row
from tests.support.consent_rows import purpose as registered
from tests.support.judged import stints
from transforms.algebra.epochs import Grounds
from transforms.algebra.order import BEGINNING
from transforms.algebra.verdicts import allows, judge, reasons

PERMIT = ("GRANT", "GRANT", "UNOBJECT", "UNRESTRICT")
RESTRICT = ("DENY", "WITHDRAW", "OBJECT", "RESTRICT", "INVALIDATE", "ERASE")
GRID = np.arange(-10, 130, 2.5)
LEDGERS = 10  # of so many subjects at once
RUN = settings(max_examples=67, deadline=None, derandomize=True)
SOAK = settings(RUN, max_examples=670)


def purposes(kind: str) -> Project:
    """A project with a purpose of each basis; the bodies of the law are the same."""
    more: Any = {
        "consent": {"max_grant_age": minutes(60), "versions": ((1, BEGINNING), (2, minutes(55)))},
        "interest": {"basis": {"default": "legitimate_interest"}},
        "mixed": {"basis": {"default": "consent", "US": "legitimate_interest"}},
    }[kind]
    return project(registered(**more), registered("mail"))


def ledger_row(number: int, actions: tuple[str, ...]) -> dict[str, Any]:
    """The row of a number: its digits choose, the first of each kind being the plainest."""

    def choose(*options: Any) -> Any:
        nonlocal number
        number, digit = divmod(number, len(options))
        return options[digit]

    permits = (action := choose(*actions)) in PERMIT
    claimed = choose(*range(0, 105, 5))
    received = max(0, claimed + choose(0, 0, 0, -5, 5, 10, 30))
    chosen = {
        "claimed_precision": choose("us", "us", "s", "day"),
        "purpose": choose(*(("ads", "ads", "mail") if permits else ("ads", "ads", "*"))),
        "channel": choose("*", "*", "*", "email"),
        "method": choose("interactive", "import"),
        "actor": choose("subject", "system"),
        "purpose_major": choose(1, 1, 2),
        "retroactive": choose(False, True),
    }
    if choose(0, 0, 0, 1):
        chosen["expires"] = choose(*range(0, 105, 5))
    return row(action, claimed, received, **chosen)


def ledgers(actions: tuple[str, ...] = PERMIT + RESTRICT) -> st.SearchStrategy[list[list[dict[str, Any]]]]:
    rows = st.integers(0, 10**9).map(lambda number: ledger_row(number, actions))
    return st.lists(st.lists(rows, max_size=7), min_size=LEDGERS, max_size=LEDGERS)


def numbered(people: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of all subjects, each with an id of its own."""
    return [
        {**each, "subject": f"s{who}", "event_id": f"e{index:03}"}
        for who, rows in enumerate(people)
        for index, each in enumerate(rows)
    ]


SUBJECTS = pa.array([f"s{who}" for who in range(LEDGERS)])
MOVES = profiles(
    [profile(at, f"s{who}", country=country) for who in range(LEDGERS) for at, country in ((20, "US"), (70, "DE"))]
)


def allowed(world: Project, rows: list[dict[str, Any]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """[subject, t, T]: whether an event at t may be used at T, over the grid."""
    found = stints(world, ("ads",), consents(rows), MOVES, SUBJECTS)
    at = np.round(GRID * MINUTE).astype(np.int64)
    answer = np.zeros((LEDGERS, len(at), len(at)), np.bool_)
    for subject, event_from, event_to, use_from, use_to in zip(*(column.tolist() for column in found), strict=True):
        events, uses = (at >= event_from) & (at < event_to), (at >= use_from) & (at < use_to)
        answer[subject] |= events[:, None] & uses[None, :]
    return answer


def sendable(world: Project, rows: list[dict[str, Any]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """[subject, T]: whether email may be used at T, over some of the grid."""
    grounds, purpose = Grounds(world, consents(rows), MOVES, SUBJECTS), world.purposes["ads"]
    return np.stack([allows(judge(grounds, purpose, minutes(at), "email").code) for at in GRID[::12]], axis=1)


def holds_in_any_order_and_however_often(world: Project, people: list[list[dict[str, Any]]], seed: int) -> None:
    rows, shuffle = numbered(people), random.Random(seed)
    repeated = [{**each, "received_at": each["received_at"] + 1} for each in rows]
    again = shuffle.sample(rows + repeated + rows, 2 * len(rows) + len(repeated))
    assert (allowed(world, rows) == allowed(world, again)).all()


def never_allows_what_was_denied(
    world: Project, people: list[list[dict[str, Any]]], added: list[list[dict[str, Any]]]
) -> None:
    rows = numbered([mine + more for mine, more in zip(people, added, strict=True)])
    fewer = [each for each in rows if int(each["event_id"][1:]) < len(people[int(each["subject"][1:])])]
    assert not (allowed(world, rows) & ~allowed(world, fewer)).any()
    assert not (sendable(world, rows) & ~sendable(world, fewer)).any()


def never_denies_what_was_allowed(
    world: Project, people: list[list[dict[str, Any]]], added: list[list[dict[str, Any]]]
) -> None:
    rows = numbered([mine + more for mine, more in zip(people, added, strict=True)])
    fewer = [each for each in rows if int(each["event_id"][1:]) < len(people[int(each["subject"][1:])])]
    assert not (allowed(world, fewer) & ~allowed(world, rows)).any()
    assert not (sendable(world, fewer) & ~sendable(world, rows)).any()


def judges_as_the_stints_do(world: Project, people: list[list[dict[str, Any]]]) -> None:
    grounds = Grounds(world, consents(numbered(people)), MOVES, SUBJECTS)
    may, at = allowed(world, numbered(people)), np.round(GRID * MINUTE).astype(np.int64)
    who = np.repeat(np.arange(LEDGERS), len(at))
    for use, used_at in enumerate(at.tolist()):
        code = reasons(judge(grounds, world.purposes["ads"], used_at), who, np.tile(at, LEDGERS))
        assert (allows(code) == may[:, :, use].ravel()).all()


KINDS = pytest.mark.parametrize("kind", ["consent", "interest", "mixed"])
FEW, FEW_PERMITS = ledgers(RESTRICT), ledgers(PERMIT)


@KINDS
@RUN
@given(people=ledgers(), seed=st.integers(0, 2**32))
def test_any_order_and_any_repetition_give_the_same_verdicts(kind: str, people: list[Any], seed: int) -> None:
    holds_in_any_order_and_however_often(purposes(kind), people, seed)


@KINDS
@RUN
@given(people=ledgers(), added=FEW)
def test_a_restrictive_row_more_never_turns_a_denial_into_an_allowance(
    kind: str, people: list[Any], added: list[Any]
) -> None:
    never_allows_what_was_denied(purposes(kind), people, added)


@KINDS
@RUN
@given(people=ledgers(), added=FEW_PERMITS)
def test_a_permissive_row_less_never_turns_a_denial_into_an_allowance(
    kind: str, people: list[Any], added: list[Any]
) -> None:
    never_denies_what_was_allowed(purposes(kind), people, added)


@KINDS
@settings(RUN, max_examples=20)
@given(people=ledgers())
def test_a_verdict_and_a_stint_say_the_same(kind: str, people: list[Any]) -> None:
    judges_as_the_stints_do(purposes(kind), people)


@pytest.mark.soak
@KINDS
@SOAK
@given(people=ledgers(), added=FEW, permitted=FEW_PERMITS, seed=st.integers(0, 2**32))
def test_the_laws_at_length(kind: str, people: list[Any], added: list[Any], permitted: list[Any], seed: int) -> None:
    world = purposes(kind)
    holds_in_any_order_and_however_often(world, people, seed)
    never_allows_what_was_denied(world, people, added)
    never_denies_what_was_allowed(world, people, permitted)
