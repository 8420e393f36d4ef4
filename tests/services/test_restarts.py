"""Streams whose launcher or runner is killed anywhere: what is begun again ends with the tables of a run left alone."""

from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.command_line import asked, segue
from tests.support.restarts import POINTS, SHARDS, SOME, Deliveries, Point, shop_of, strike
from tests.support.streamed import HISTORY, streaming, wait_until

pytestmark = pytest.mark.usefixtures("prism_is_there")
FACTS = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM consents) AS n"
TABLES = (
    HISTORY,
    "SELECT * EXCLUDE run_id FROM events ORDER BY ALL",
    "SELECT * EXCLUDE run_id FROM consents ORDER BY ALL",
    "SELECT * EXCLUDE run_id FROM quarantine ORDER BY ALL",
    "SELECT sum(read) AS read, sum(quarantined) AS quarantined FROM run_manifest",
)
"""What does not depend on where cuts are. Of two records of one id either may be the duplicate, where the other came later."""
NAMED = [pytest.param(point, id=point.name) for point in POINTS]


def killed_and_begun_again(point: Point, seed: int, folder: Path, broker: Broker, topic: str) -> None:
    """Every event counts once, however many shards the stream has that goes on."""
    deliveries = Deliveries(broker, topic, seed)
    deliveries.deliver(30)
    project = shop_of(folder / "shop", deliveries)
    with deliveries.going_on():
        strike(point, seed, project, folder / "fired")
    shop_of(project, deliveries, SHARDS[seed % len(SHARDS)])
    with streaming(project) as stream:
        wait_until(stream, project, FACTS, deliveries.facts)
    assert found(project) == left_alone(folder, project, deliveries)
    assert not [*(project / "warehouse" / "staging").iterdir()]


def found(project: Path) -> dict[str, object]:
    return {sql: asked(project, sql) for sql in TABLES}


def left_alone(folder: Path, project: Path, deliveries: Deliveries) -> dict[str, object]:
    """What one run says of all that was delivered, at the T of the last."""
    (last,) = asked(project, "SELECT max(t) AS t FROM run_manifest")
    alone = shop_of(folder / "alone", deliveries)
    segue(alone, "run", "--as-of", last["t"])
    return found(alone)


def test_there_are_as_many_points_as_are_promised_and_each_has_a_name_of_its_own() -> None:
    names = [point.name for point in POINTS]
    assert len({*names}) == len(names) >= 20
    assert {*SOME} <= {*names}


@pytest.mark.services
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("point", [point for point in NAMED if point.id in SOME])
def test_killed_anywhere_and_begun_again_every_event_counts_once(
    point: Point, seed: int, tmp_path: Path, broker: Broker, topic: str
) -> None:
    killed_and_begun_again(point, seed, tmp_path, broker, topic)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("point", NAMED)
def test_killed_at_every_point_and_begun_again_every_event_counts_once(
    point: Point, seed: int, tmp_path: Path, broker: Broker, topic: str
) -> None:
    killed_and_begun_again(point, seed, tmp_path, broker, topic)
