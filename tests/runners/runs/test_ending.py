"""A plain run tidies the warehouse where that was not done for a day, and is published whatever becomes of that."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runners.main import call
from runners.warehouses.ducklake import open_lake
from tests.support.aged import age

DAYS = timedelta(days=9)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with three published runs of nine days ago."""
    assert call(["--quiet", "init", str(tmp_path / "shop")]) == 0
    for number in range(3):
        order(tmp_path / "shop", number)
        run(tmp_path / "shop")
    age(tmp_path / "shop/warehouse", DAYS)
    return tmp_path / "shop"


def order(shop: Path, number: int) -> None:
    with (shop / "data/events.ndjson").open("a") as file:
        at = f"2026-02-0{number + 1}T09:00:00Z"
        said = {"id": f"more{number}", "name": "order", "user": "ada", "at": at, "received": at, "amount": 5}
        file.write(json.dumps(said) + "\n")


def run(shop: Path, *more: str) -> dict[str, Any]:
    assert call(["--quiet", "--project-dir", str(shop), "--format", "json", *(more or ("run",))]) == 0
    results: dict[str, Any] = json.loads((shop / "target/run_results.json").read_text())
    return results


def old_snapshots(shop: Path) -> int:
    with open_lake(shop / "warehouse") as lake:
        return int(lake.value("SELECT count(*) FROM ducklake_snapshots('lake') WHERE snapshot_time < now() - INTERVAL 1 DAY"))


def test_what_was_not_tidied_for_a_day_is_tidied_after_a_run_that_publishes(shop: Path) -> None:
    before = old_snapshots(shop)
    order(shop, 3)
    assert run(shop)["status"] == "published"
    assert before > 1 == old_snapshots(shop)  # the one that was the newest until now may be open


def test_a_run_that_finds_nothing_new_and_one_that_is_retried_tidy_too(shop: Path) -> None:
    last = run(shop)
    assert (last["status"], old_snapshots(shop)) == ("unchanged", 1)
    age(shop / "warehouse", DAYS)
    assert run(shop, "retry", last["run_id"])["status"] == "unchanged"
    assert old_snapshots(shop) == 1


def test_a_plan_that_is_applied_tidies_too(shop: Path, tmp_path: Path) -> None:
    order(shop, 3)
    assert call(["--quiet", "--project-dir", str(shop), "plan", "-o", str(tmp_path / "plan.json")]) == 0
    assert run(shop, "apply", str(tmp_path / "plan.json"))["status"] == "published"
    assert old_snapshots(shop) == 1


def test_tidying_that_fails_is_told_and_the_run_is_published(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *_ = sorted((shop / "warehouse/data/main/consent_verdicts").iterdir())
    first.write_bytes(b"no parquet")
    order(shop, 3)
    capsys.readouterr()
    assert call(["--project-dir", str(shop), "--format", "json", "run"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["status"] == "published"
    assert "note: the warehouse was not tidied" in printed.err
    assert old_snapshots(shop) > 1
