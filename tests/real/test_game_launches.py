"""A month of launches of a mobile game: the first ten day cohorts over days 0 to 10, as others counted them."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.cohorts import cells, cohort_segments, periods_between, read_table
from tests.support.command_line import asked, segue, write_definitions

LAUNCHES, REGISTRATIONS, USERS = 25_222, 4_102, 3_994
STARTS = [date(2016, 4, 27) + timedelta(days=n) for n in range(21)]
DAYS = periods_between(STARTS, "%m_%d")
CELLS = cells(DAYS, 10, 10)


@pytest.fixture(scope="module")
def game(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = {
        "source": "launches",
        "kind": "events",
        "from": {"files": str(data / "gamelaunch" / "gamelaunch.csv")},
        "fields": {
            "event": "eventName",
            "subject": "userid",
            "occurred_at": {"from": "eventDate", "format": "date"},
        },
    }
    settings = {"name": "game", "as_of": date(2016, 6, 1), "roots": [str(data)]}
    root = tmp_path_factory.mktemp("game")
    write_definitions(root, settings, [source], cohort_segments("gameStarted", DAYS, 10, 10))
    segue(root, "run")
    return root


def test_every_cell_of_the_cohorts_is_the_published_one(game: Path, data: Path) -> None:
    rows = asked(game, "SELECT segment, count(*) AS n FROM segment_membership WHERE segment LIKE 'cell%' GROUP BY 1")
    published = read_table(data / "gamelaunch" / "gamelaunch_day_cohorts_first10.csv")
    assert len(published) == 110
    assert {CELLS[row["segment"]]: row["n"] for row in rows} == published


def test_every_launch_is_used_and_what_no_definition_names_is_not(game: Path) -> None:
    [run] = asked(game, "SELECT read, used, unneeded FROM run_manifest")
    assert run == {"read": LAUNCHES + REGISTRATIONS, "used": LAUNCHES, "unneeded": REGISTRATIONS}
    assert asked(game, "SELECT count(DISTINCT subject) AS n FROM events") == [{"n": USERS}]


def test_a_user_of_a_cell_is_in_it_from_the_midnight_of_its_day(game: Path) -> None:
    rows = asked(
        game,
        "SELECT DISTINCT segment, strftime(timezone('UTC', valid_from), '%Y-%m-%d %H:%M:%S.%f') AS since "
        "FROM segment_history WHERE segment LIKE 'cell%' AND known_to IS NULL",
    )
    days = {row["segment"]: STARTS[sum(CELLS[row["segment"]])] for row in rows}
    assert len(rows) == len(CELLS)
    assert {row["segment"]: row["since"] for row in rows} == {one: f"{day} 00:00:00.000000" for one, day in days.items()}
