"""Runs over a table of a warehouse: each reads the rows that were appended since the last one."""

import json
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from runners.main import call
from runners.runs.outlook import Options
from runners.warehouses.ducklake import open_lake
from tests.support.begun import die
from tests.support.command_line import asked, segue
from tests.support.ordering import events, project_of, told

_MADE = 'CREATE TABLE orders (id VARCHAR, who VARCHAR, "at" TIMESTAMPTZ, amount INTEGER)'
KINDS = ("duckdb", "ducklake")


def rows(*numbers: int, who: str = "ann", amount: int = 5) -> str:
    said = (f"('o{n}', '{who}', '2023-11-14T10:{n:02}:00Z', {amount})" for n in numbers)
    return f"INSERT INTO orders VALUES {', '.join(said)}"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path, kind: str) -> Path:
    """A shop whose orders are in a table."""
    place = {"duckdb": "data/shop.duckdb", "ducklake": "data/shop"}[kind]
    root = project_of(tmp_path / "shop", {"table": f"{kind}:{place}#orders"}, fields=FIELDS)
    (root / "data").mkdir()
    return root


FIELDS = {"event_id": "id", "event": "'buy'", "subject": "who", "occurred_at": "at"}


def change(project: Path, kind: str, *statements: str) -> None:
    """Write to the table's database, as another program would."""
    if kind == "duckdb":
        with closing(duckdb.connect(str(project / "data/shop.duckdb"))) as con:
            for statement in statements:
                con.execute(statement)
        return
    with open_lake(project / "data/shop", write=True) as lake:
        for statement in statements:
            lake.run(statement)


def positions(project: Path) -> Sequence[object]:
    found = asked(project, "SELECT inputs FROM run_manifest ORDER BY k")
    return [json.loads(one["inputs"])["after"]["orders"]["orders/0"] for one in found]


def test_a_run_reads_every_row(project: Path, kind: str) -> None:
    change(project, kind, _MADE, rows(1, 2), rows(3, who="bob"))
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]
    assert {row["subject"] for row in asked(project, "SELECT subject FROM segment_membership")} == {"ann", "bob"}


def test_rows_between_runs_are_read_once(project: Path, kind: str) -> None:
    change(project, kind, _MADE, rows(1))
    segue(project, "run")
    change(project, kind, rows(2, 3))
    segue(project, "run")
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]
    assert positions(project) == [{"offset": 1}, {"offset": 3}]
    assert [row["read"] for row in asked(project, "SELECT read FROM run_manifest ORDER BY k")] == [1, 2]


def test_a_table_gives_the_tables_that_a_file_gives(project: Path, kind: str, tmp_path: Path) -> None:
    change(project, kind, _MADE, rows(1, 2), rows(3, who="bob", amount=7))
    segue(project, "run")
    with_file = project_of(tmp_path / "other", {"files": "orders.csv"}, fields=FIELDS)
    lines = ("o1,ann,5", "o2,ann,5", "o3,bob,7")
    said = (f"{number},{who},2023-11-14T10:{number[1:]:>02}:00Z,{amount}\n" for number, who, amount in map(_split, lines))
    (with_file / "orders.csv").write_text("id,who,at,amount\n" + "".join(said))
    segue(with_file, "run")
    for table in ("events", "segment_history", "consent_verdicts"):
        assert told(project, table) == told(with_file, table)


def _split(line: str) -> list[str]:
    return line.split(",")


def test_a_row_that_is_wrong_is_set_aside_with_its_number(project: Path, kind: str) -> None:
    change(project, kind, _MADE, rows(1), "INSERT INTO orders VALUES ('o2', NULL, '2023-11-14T10:02:00Z', 1)")
    segue(project, "run")
    (aside,) = asked(project, "SELECT source, position, reason FROM quarantine")
    assert (aside["reason"], aside["position"].endswith("1")) == ("missing_id", True)


def test_a_table_that_is_not_there_yet_is_empty(project: Path, kind: str) -> None:
    change(project, kind, "CREATE TABLE others (id VARCHAR)")
    segue(project, "run")
    assert events(project) == []


def test_a_database_that_is_not_there_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--project-dir", str(project), "run"]) == 2
    assert "SEG-0402" in capsys.readouterr().err


def test_rows_that_are_gone_stop_the_run(project: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    change(project, kind, _MADE, rows(1, 2, 3))
    segue(project, "run")
    change(project, kind, "DROP TABLE orders", _MADE, rows(1))
    assert call(["--project-dir", str(project), "run"]) == 1
    assert "SEG-0702" in capsys.readouterr().err
    segue(project, "run", "--full-refresh")
    assert events(project) == ["o1"]


def test_a_run_is_retried_up_to_the_rows_that_it_has_found(project: Path, kind: str) -> None:
    change(project, kind, _MADE, rows(1, 2))
    pin = die(project, Options(time.time_ns() // 1_000))
    change(project, kind, rows(3))
    segue(project, "retry", pin)
    assert events(project) == ["o1", "o2"]
    segue(project, "run")
    assert events(project) == ["o1", "o2", "o3"]


def test_a_table_is_not_followed_by_a_stream(project: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    change(project, kind, _MADE)
    assert call(["--project-dir", str(project), "stream"]) == 2
    assert "SEG-0412" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("whence", "code"),
    [
        ({"table": "duckdb:../else.duckdb#orders"}, "SEG-0401"),
        ({"table": "postgres:host#orders"}, "SEG-0415"),
        ({"table": "duckdb:shop.duckdb"}, "SEG-0415"),
        ({"bigquery": "orders"}, "SEG-0415"),
        ({"table": "duckdb:shop.duckdb#orders", "files": "a.csv"}, "SEG-0100"),
    ],
)
def test_an_address_that_is_none_is_refused(
    tmp_path: Path, whence: dict[str, str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["--project-dir", str(project_of(tmp_path, whence)), "validate"]) == 2
    assert code in capsys.readouterr().err


@pytest.mark.parametrize(("said", "code"), [("postgres:host#orders", "SEG-0415"), ("duckdb:../else#orders", "SEG-0401")])
def test_an_address_from_the_environment_is_read_by_the_same_rules(
    tmp_path: Path, said: str, code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDERS", said)
    assert call(["--project-dir", str(project_of(tmp_path, {"table": "${ORDERS}"})), "run"]) == 2
    assert code in capsys.readouterr().err


def test_rows_of_bigquery_need_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = {name: said for name, said in FIELDS.items() if name != "event_id"}
    root = project_of(tmp_path, {"bigquery": "my-project.shop.orders"}, fields=fields)
    assert call(["--project-dir", str(root), "validate"]) == 2
    assert "SEG-0408" in capsys.readouterr().err
