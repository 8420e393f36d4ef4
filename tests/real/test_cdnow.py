"""The first-time buyers of a music shop: how often, until when and for how long each was watched, as others computed it."""

import csv
from datetime import date
from pathlib import Path

import pytest

from tests.support.command_line import Json, asked, segue, write_definitions

CUSTOMERS, PURCHASES = 2_357, 6_919
CALIBRATED = date(1997, 9, 30)
WEEK = 7

SOURCE: Json = {
    "source": "shop",
    "kind": "events",
    "from": {"files": "data/*.csv"},
    "fields": {"event": "'purchase'", "subject": "customer", "occurred_at": {"from": "day", "format": "date"}},
    "properties": {"day": "date"},
}
WINDOW: Json = {"to": "1997-10-01", "as": "calibrated"}
FEATURES: Json = {
    "features": "buying",
    "purpose": "counting",
    "source": {"event": "purchase"},
    "aggregates": [
        {"name": "days", "op": "days_active", "windows": [dict(WINDOW)]},
        {"name": "first", "op": "first", "of": "day", "windows": [dict(WINDOW)]},
        {"name": "latest", "op": "last", "of": "day", "windows": [dict(WINDOW)]},
    ],
}
SEGMENT: Json = {"segment": "bought", "purpose": "counting", "when": {"did": {"event": "purchase"}}}


@pytest.fixture(scope="module")
def features(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """The feature row of each customer, by its number in the sample."""
    root = tmp_path_factory.mktemp("cdnow")
    write_definitions(root, {"name": "cdnow", "as_of": "1998-07-01"}, [SOURCE], [SEGMENT], [FEATURES])
    (root / "data").mkdir()
    lines = [line.split() for line in (data / "cdnow" / "CDNOW_sample.txt").read_text().splitlines()]
    assert len(lines) == PURCHASES
    with (root / "data" / "purchases.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer", "day"])
        rows.writerows([int(sample), f"{day[:4]}-{day[4:6]}-{day[6:]}"] for _, sample, day, *_ in lines)
    segue(root, "run")
    found = asked(root, "FROM feature_rows QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1")
    return {row["subject"]: row for row in found}


@pytest.fixture(scope="module")
def summary(data: Path) -> list[dict[str, str]]:
    with (data / "cdnow" / "cdnow_customers_summary_with_transactions.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_customer_bought_again_as_often_and_was_watched_as_long(
    features: dict[str, Json], summary: list[dict[str, str]]
) -> None:
    assert len(features) == len(summary) == CUSTOMERS
    for row in summary:
        found = features[row["ID"]]
        first, latest = (date.fromisoformat(found[f"buying__{name}_calibrated"]) for name in ("first", "latest"))
        assert found["buying__days_calibrated"] - 1 == int(row["x"]), row
        assert f"{(latest - first).days / WEEK:.2f}" == row["t_x"], row
        assert f"{(CALIBRATED - first).days / WEEK:.2f}" == row["T"], row
