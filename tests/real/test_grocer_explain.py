"""`explain` of the grocer's households against what the runs recorded, at past instants as they were known then."""

import json
from collections.abc import Iterable, Iterator
from random import Random

import pyarrow as pa
import pytest

from runners.answers.explaining import explain_subject, known_facts
from runners.terminal.session import Session
from runners.warehouses.read import facts_of_subjects
from schemas.definitions.instant import write_instant
from tests.support.command_line import segue
from tests.support.grocer import Households
from tests.support.histories import History
from tests.support.records import Run, cut, recorded, runs
from transforms.algebra.evaluate import evaluate
from transforms.algebra.order import TRUE, Steps

Question = tuple[str, str, int, Run, bool]
"""Subject, segment, T, the run whose K is meant, and whether its record says member."""


def instants_of(steps: Steps) -> list[tuple[int, int | None]]:
    """The intervals in which the answer about the one subject is true."""
    found: list[tuple[int, int | None]] = []
    before = int(steps.initial[0]) == TRUE
    assert not before, "member since ever"
    for at, value in zip(steps.at.tolist(), steps.value.tolist(), strict=True):
        if (value == TRUE) != before:
            found = [*found, (at, None)] if value == TRUE else [*found[:-1], (found[-1][0], at)]
        before = value == TRUE
    return found


def explained(households: Households, subjects: Iterable[str], run: Run) -> History:
    """What `explain` bases its answers on, between all instants: each subject alone, from the facts received by K."""
    session = Session(households.root)
    project = session.project()
    found: History = {}
    with session.lake(project) as lake:
        for subject in subjects:
            facts, _ = known_facts(project, facts_of_subjects(lake, project, pa.array([subject]), run.known_at))
            answers = evaluate(project, facts).answers
            found |= {(name, subject): cut(instants_of(answers[name]), run.t_at) for name in households.segments}
    return {key: intervals for key, intervals in found.items() if intervals}


def assert_explains(households: Households, subjects: list[str], run: Run) -> None:
    record = recorded(households.root, run.known_at)
    expected = {key: intervals for key, intervals in record.items() if key[1] in subjects}
    assert explained(households, subjects, run) == expected


def test_it_is_the_record_of_the_last_run_at_every_instant(households: Households) -> None:
    assert_explains(households, households.ids, runs(households.root)[-1])


@pytest.mark.parametrize("number", [0, 1])
def test_it_is_the_record_of_an_earlier_run_at_every_instant_as_known_then(households: Households, number: int) -> None:
    """Before the baskets arrived that were late: a household without a fact by then is left out."""
    run = runs(households.root)[number]
    known = {subject for _, subject in recorded(households.root, run.known_at)}
    assert_explains(households, sorted(known)[::3], run)


def turns(households: Households, subjects: set[str]) -> Iterator[Question]:
    """Every turn that a record of a run holds, and the microsecond before it."""
    for run in runs(households.root):
        for (name, subject), intervals in recorded(households.root, run.known_at).items():
            for start, end in intervals if subject in subjects else ():
                yield from ((subject, name, at, run, at == start) for at in (start - 1, start))
                if end is not None:
                    yield from ((subject, name, at, run, at < end) for at in (end - 1, end))


def assert_answers(households: Households, questions: Iterable[Question]) -> None:
    session = Session(households.root)
    project = session.project()
    with session.lake(project) as lake:
        for subject, name, at, run, expected in questions:
            told = explain_subject(lake, project, subject, name, at, run.known_at)
            assert told["member"] == expected, (subject, name, at, run)
            holds = told["tree"]["value"] is True and told["population"] and told["purpose_open"]
            assert holds == expected, (subject, name, at, run)


def test_the_tree_the_population_and_the_purpose_say_the_same_as_the_answer(households: Households) -> None:
    """At turns and the microseconds before them, in the records of all runs."""
    found = list(turns(households, set(households.ids)))
    assert len(found) > 1_000
    assert_answers(households, Random(8451).sample(found, 40))


@pytest.mark.soak
def test_every_turn_of_two_hundred_households_is_explained(many_households: Households) -> None:
    assert_answers(many_households, turns(many_households, set(many_households.ids)))


def test_the_command_says_it_too(households: Households) -> None:
    for subject, name, at, run, expected in Random(1).sample(list(turns(households, set(households.ids))), 3):
        instants = ["--at", write_instant(at), "--known", write_instant(run.known_at)]
        told = json.loads(segue(households.root, "--format", "json", "explain", subject, name, *instants))
        assert (told["member"], told["at"], told["known"]) == (expected, *instants[1::2])
