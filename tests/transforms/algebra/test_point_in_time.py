"""Features at many instants at once are what the law says of each alone, and what a run writes at its T."""

import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generator import SUBJECTS, Generator
from tests.support.histories import LATER, Shard, facts_of
from tests.support.oracle import Event, Profile, World, feature
from tests.support.oracle_model import DAY, HOUR, to_instant
from tests.support.oracle_subject import Known
from tests.transforms.algebra.test_against_oracle import WORLDS
from transforms.algebra import point_in_time
from transforms.algebra.order import FOREVER
from transforms.algebra.point_in_time import features_at
from transforms.algebra.program import Moment
from transforms.algebra.study import Study


def study_of(shard: Shard, known_at: int = FOREVER) -> Study:
    moment = Moment(0, 0, known_at=known_at)
    return Study.of(shard.program, shard.state, np.arange(shard.state.count), moment, answered=False)


def asked(shard: Shard, pairs: list[tuple[str, int]], known_at: int = FOREVER) -> list[dict[str, Any]]:
    """The rows of some (subject, instant), instants in microseconds."""
    ids = shard.state.ids.to_pylist()
    who, at = (np.array(column, np.int64) for column in zip(*((ids.index(one), at) for one, at in pairs), strict=True))
    return [plain(row) for row in features_at(study_of(shard, known_at), who, at).to_pylist()]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return to_instant(value) if hasattr(value, "tzinfo") else value


def told(world: World, columns: list[str], subject: str, at: int, known_at: int) -> dict[str, Any]:
    """What the oracle says; nothing of a subject that is not known yet."""
    first = Known(world, known_at).person(subject).first_fact
    if first is None or first > at:
        return dict.fromkeys(columns)
    return {name: feature(world, name, subject, at, known_at) for name in columns}


@pytest.fixture(scope="module", autouse=True)
def a_few_at_a_time() -> Iterator[None]:
    """So few contributions at once that every answer has many portions."""
    most, point_in_time._MOST = point_in_time._MOST, 3
    yield
    point_in_time._MOST = most


@WORLDS
@given(st.randoms(use_true_random=False))
def test_every_feature_at_every_instant_and_k_is_the_oracles(random: Random) -> None:
    generator = Generator(random)
    world = generator.world()
    with tempfile.TemporaryDirectory() as folder:
        shard = Shard.of(Path(folder), world).step(facts_of(world), LATER)
    columns = shard.program.feature_schema.names
    instants = [generator.at() + random.choice([-1, 0, 0, 1]) for _ in range(6)]
    subjects = [one for one in SUBJECTS if one in shard.state.ids.to_pylist()]
    pairs = list(product(subjects, instants))
    random.shuffle(pairs)
    for known_at in (LATER, generator.at()) if pairs else ():
        expected = [told(world, columns, *pair, known_at) for pair in pairs]
        assert asked(shard, pairs, known_at) == expected


@WORLDS
@given(st.randoms(use_true_random=False))
def test_what_is_asked_at_the_t_of_a_run_is_the_row_that_it_wrote(random: Random) -> None:
    generator = Generator(random)
    world, at = generator.world(), generator.at()
    with tempfile.TemporaryDirectory() as folder:
        shard = Shard.of(Path(folder), world).step(facts_of(world), at)
    rows = [plain(row) for row in shard.published[0]["feature_rows"].drop_columns("unsure").to_pylist()]
    pairs = [(row.pop("subject"), at) for row in rows]
    assert not pairs or asked(shard, pairs) == rows


@pytest.fixture(scope="module")
def weekly(tmp_path_factory: pytest.TempPathFactory) -> Shard:
    """Ann was seen at an instant, and counts for seven days; Bob was seen a day later."""
    group = {"features": "g", "purpose": "p", "source": "seen", "aggregates": [{"name": "n", "op": "count", "windows": ["7d"]}]}
    project = {
        "timezone": "UTC",
        "purposes": [{"id": "p", "basis": "legitimate_interest"}],
        "sources": {"web": {"kind": "events", "properties": {}}},
        "segments": [],
        "features": [group],
    }
    events = (Event("web", "ann", "e", "seen", DAY, DAY), Event("web", "bob", "e", "seen", 2 * DAY, 2 * DAY))
    return Shard.of(tmp_path_factory.mktemp("weekly"), World(project, events)).step(events, LATER)


def counts(shard: Shard, *pairs: tuple[str, int]) -> list[int | None]:
    return [row["g__n_7d"] for row in asked(shard, list(pairs))]


def test_an_event_counts_from_its_own_instant_until_seven_days_have_passed(weekly: Shard) -> None:
    instants = (DAY - 1, DAY, 8 * DAY - 1, 8 * DAY)
    assert counts(weekly, *(("ann", at) for at in instants)) == [None, 1, 1, 0]


def test_rows_come_in_the_order_in_which_they_are_asked_and_as_often(weekly: Shard) -> None:
    pairs = [("bob", 3 * DAY), ("ann", 9 * DAY), ("bob", 9 * DAY), ("ann", 3 * DAY), ("bob", 3 * DAY), ("bob", DAY)]
    assert counts(weekly, *pairs) == [1, 0, 0, 1, 1, None]


def test_where_nothing_is_asked_there_is_no_row(weekly: Shard) -> None:
    nobody = np.empty(0, np.int64)
    found = features_at(study_of(weekly), nobody, nobody)
    assert (found.column_names, len(found)) == (["g__n_7d"], 0)


def test_of_a_subject_that_moved_between_zones_an_earlier_event_may_count_for_longer(tmp_path: Path) -> None:
    """In Honolulu a day ends eleven hours later than in Berlin, so that the event before the move outlasts the one after it."""
    day = {"calendar": {"last": 1, "unit": "day", "tz": "profile"}, "as": "day"}
    group = {"features": "g", "purpose": "p", "source": "seen", "aggregates": [{"name": "n", "op": "count", "windows": [day]}]}
    project = {
        "timezone": "UTC",
        "purposes": [{"id": "p", "basis": "legitimate_interest"}],
        "sources": {
            "web": {"kind": "events", "properties": {}},
            "crm": {"kind": "profiles", "properties": {"timezone": "string"}},
        },
        "segments": [],
        "features": [group],
    }
    start = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z
    events = [Event("web", "ann", f"e{hour}", "seen", start + hour * HOUR, 0) for hour in (11, 12, 14)]
    moves = [(0, "Pacific/Honolulu"), (12, "Europe/Berlin"), (13, "Pacific/Honolulu")]
    homes = [Profile("crm", "ann", start + hour * HOUR, 0, {"timezone": zone}) for hour, zone in moves]
    shard = Shard.of(tmp_path, World(project, tuple(events), tuple(homes))).step([*events, *homes], LATER)
    hours = [(10, 0), (11, 1), (12, 2), (14, 3), (22, 3), (23, 2), (33, 2), (34, 0)]
    found = asked(shard, [("ann", start + hour * HOUR) for hour, _ in hours])
    assert [row["g__n_day"] for row in found] == [count for _, count in hours]
