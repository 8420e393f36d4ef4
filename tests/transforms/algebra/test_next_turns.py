"""Until the next turn of a subject nothing is judged otherwise; a turn that never comes leaves all as it is."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from schemas.definitions.purpose import Purpose
from tests.support.consent_rows import consents, minutes, profile, profiles, project, row
from tests.support.consent_rows import purpose as registered
from transforms.algebra.epochs import Grounds
from transforms.algebra.order import FOREVER
from transforms.algebra.verdicts import judge, next_turns

PEOPLE = ["ann", "bob"]
MIXED = {"default": "consent", "US": "legitimate_interest"}
PURPOSES = {
    "a grant that ages": registered(max_grant_age=minutes(60)),
    "an interest": registered(basis="legitimate_interest"),
    "a country's basis": registered(basis=MIXED),
    "an age": registered(min_age=16),
    "all of it": registered(basis=MIXED, min_age=16, max_grant_age=minutes(60), versions=((1, 0), (2, minutes(55)))),
}
ACTIONS = ["GRANT", "GRANT", "WITHDRAW", "DENY", "OBJECT", "UNOBJECT", "RESTRICT", "UNRESTRICT", "INVALIDATE", "ERASE"]
TIMES = st.integers(0, 24).map(lambda step: step * 5)
ROWS = st.builds(
    lambda action, claimed, later, **more: row(action, claimed, max(0, claimed + later), **more),
    st.sampled_from(ACTIONS),
    TIMES,
    st.sampled_from([0, 0, 10, -5]),
    subject=st.sampled_from(PEOPLE),
    method=st.sampled_from(["interactive", "parental", "import"]),
    actor=st.sampled_from(["subject", "guardian"]),
    retroactive=st.booleans(),
    purpose_major=st.sampled_from([1, 2]),
    expires_at=st.none() | TIMES.map(minutes),
)
BORN = st.sampled_from([date(1954, 1, 1), date(1954, 1, 2), date(1940, 5, 5)])  # sixteen at minute 0, at 1440, and long since
TOLD = st.fixed_dictionaries({}, optional={"country": st.sampled_from(["DE", "US", ""]), "birth_date": BORN})
PROFILES = st.builds(lambda at, who, more: profile(at, who, **more), TIMES, st.sampled_from(PEOPLE), TOLD)


def grounds(purpose: Purpose, rows: list[dict[str, Any]], people: list[dict[str, Any]]) -> Grounds:
    apart = {(one["subject"], one["valid_from"]): one for one in people}
    return Grounds(project(purpose), consents(rows), profiles(list(apart.values())), pa.array(PEOPLE))


def judged(world: Grounds, purpose: Purpose, at: int) -> np.ndarray[Any, Any]:
    """All that is judged at T, a column a subject."""
    return np.stack(judge(world, purpose, at))


@pytest.mark.parametrize("name", PURPOSES)
@given(st.lists(ROWS, max_size=8), st.lists(PROFILES, max_size=4), st.integers(-1, minutes(130)), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_between_t_and_the_next_turn_nothing_is_judged_otherwise(
    name: str, rows: list[dict[str, Any]], people: list[dict[str, Any]], at: int, share: float
) -> None:
    purpose = PURPOSES[name]
    world = grounds(purpose, rows, people)
    now, turns = judged(world, purpose, at), next_turns(world, purpose, at)
    assert (turns > at).all()
    for who, turn in enumerate(np.minimum(turns, minutes(5_000)).tolist()):
        for later in (turn - 1, at + int(share * (turn - 1 - at))):
            assert judged(world, purpose, later)[:, who].tolist() == now[:, who].tolist()
        event(f"turns: {bool((judged(world, purpose, turn)[:, who] != now[:, who]).any())}")


def turns_of(purpose: Purpose, rows: list[dict[str, Any]], people: list[dict[str, Any]], until: int) -> list[int]:
    """Every turn of Ann from the beginning on, in minutes."""
    world, found, at = grounds(purpose, rows, people), list[int](), -1
    while (at := int(next_turns(world, purpose, at)[0])) < minutes(until):
        found.append(at // minutes(1))
    return found


def test_a_grant_turns_where_it_begins_and_where_it_is_too_old() -> None:
    assert turns_of(PURPOSES["a grant that ages"], [row("GRANT", 10)], [], 1_000) == [10, 70]


def test_a_birthday_is_a_turn() -> None:
    born = [profile(0, birth_date=date(1954, 1, 2))]
    assert 1_440 in turns_of(PURPOSES["an age"], [row("GRANT", 10)], born, 2_000)


def test_a_move_to_a_country_on_another_basis_is_a_turn() -> None:
    moves = [profile(0, country="US"), profile(50, country="DE")]
    assert 50 in turns_of(PURPOSES["a country's basis"], [], moves, 1_000)


def test_a_country_that_becomes_known_is_a_turn_also_where_the_basis_stays() -> None:
    purpose, told = PURPOSES["a country's basis"], [profile(0, country=""), profile(50, country="DE")]
    assert 50 in turns_of(purpose, [], told, 1_000)
    world = grounds(purpose, [], told)
    assert (judged(world, purpose, minutes(49))[:, 0] != judged(world, purpose, minutes(50))[:, 0]).any()


def test_a_grant_in_vain_is_a_turn() -> None:
    purpose, child = registered(min_age=13), [profile(0, country="DE", birth_date=date(1955, 1, 1))]
    rows = [row("GRANT", 10)]
    assert 10 in turns_of(purpose, rows, child, 1_000)
    world = grounds(purpose, rows, child)
    assert (judged(world, purpose, minutes(9))[:, 0] != judged(world, purpose, minutes(10))[:, 0]).any()


def test_of_whom_nothing_is_to_come_there_is_no_turn() -> None:
    world = grounds(PURPOSES["an interest"], [row("OBJECT", 10)], [])
    assert next_turns(world, PURPOSES["an interest"], minutes(10)).tolist() == [FOREVER, FOREVER]
