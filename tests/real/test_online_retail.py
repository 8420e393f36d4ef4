"""A wholesaler's year of invoices: every cell of the table of monthly cohorts that others published."""

from datetime import date
from pathlib import Path

import pytest

from tests.support.cohorts import Table, cells, cohort_segments, periods_between, read_table
from tests.support.command_line import asked, segue, write_definitions

LINES, WITHOUT_CUSTOMER, CUSTOMERS = 541_909, 135_080, 4_372
STARTS = [date(2010 + (11 + n) // 12, (11 + n) % 12 + 1, 1) for n in range(14)]
MONTHS = periods_between(STARTS, "%Y_%m")
CELLS = cells(MONTHS, 13, 12)


@pytest.fixture(scope="module")
def retail(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole year, run once. Cancellations are lines too; local time is London's."""
    source = {
        "source": "invoices",
        "kind": "events",
        "from": {"files": str(data / "online_retail" / "online_retail.csv.gz")},
        "timezone": "Europe/London",
        "fields": {"event": "'line'", "subject": "CustomerID", "occurred_at": "InvoiceDate"},
    }
    settings = {"name": "retail", "timezone": "Europe/London", "as_of": date(2012, 1, 1), "roots": [str(data)]}
    root = tmp_path_factory.mktemp("retail")
    write_definitions(root, settings, [source], cohort_segments("line", MONTHS, 13, 12))
    segue(root, "run")
    return root


@pytest.fixture(scope="module")
def published(data: Path) -> Table:
    return read_table(data / "online_retail" / "cohort_retention_monthly.csv")


def test_every_cell_of_the_cohorts_is_the_published_one(retail: Path, published: Table) -> None:
    rows = asked(retail, "SELECT segment, count(*) AS n FROM segment_membership WHERE segment LIKE 'cell%' GROUP BY 1")
    assert {CELLS[row["segment"]]: row["n"] for row in rows} == published


def test_cohorts_and_activity_overlap_in_the_same_cells(retail: Path, published: Table) -> None:
    rows = asked(
        retail,
        "SELECT segment, other_segment, both_members FROM segment_overlap "
        "WHERE segment LIKE 'first%' AND other_segment LIKE 'active%'",
    )
    found = {(row["segment"][6:], row["other_segment"][7:]): row["both_members"] for row in rows}
    assert found == {(MONTHS[i].name, MONTHS[i + j].name): n for (i, j), n in published.items()}


def test_a_cell_is_empty_before_its_month_and_full_after_it(retail: Path, published: Table) -> None:
    """History is read back at the microsecond before each month begins in London."""
    dates = ", ".join(f"DATE '{start}'" for start in STARTS)
    rows = asked(
        retail,
        "SELECT start, segment, count(*) AS n FROM segment_history "
        f"JOIN (SELECT unnest([{dates}]) AS start) "
        "ON valid_from < start::TIMESTAMP AT TIME ZONE 'Europe/London' "
        "WHERE segment LIKE 'cell%' AND known_to IS NULL AND valid_to IS NULL GROUP BY ALL",
    )
    for number, start in enumerate(STARTS):
        found = {CELLS[row["segment"]]: row["n"] for row in rows if row["start"] == start.isoformat()}
        assert found == _until(published, number), start


def _until(published: Table, months: int) -> Table:
    return {cell: n for cell, n in published.items() if sum(cell) < months}


def test_lines_without_a_customer_are_set_aside_and_counted(retail: Path) -> None:
    [run] = asked(retail, "SELECT read, quarantined, used FROM run_manifest")
    assert run == {"read": LINES, "quarantined": WITHOUT_CUSTOMER, "used": LINES - WITHOUT_CUSTOMER}
    assert asked(retail, "SELECT reason, count(*) AS n FROM quarantine GROUP BY 1") == [
        {"reason": "missing_id", "n": WITHOUT_CUSTOMER}
    ]
    assert asked(retail, "SELECT count(DISTINCT subject) AS n FROM events") == [{"n": CUSTOMERS}]
