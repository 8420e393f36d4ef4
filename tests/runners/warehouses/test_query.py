"""People's SQL reads the warehouse and nothing else."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.publishing.publish import publish
from runners.warehouses import query as queries
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.output import write_rows
from runners.warehouses.preparing import prepare
from schemas.errors import CallError
from tests.support.staged_runs import correction, first_run

pytestmark = pytest.mark.usefixtures("every_core")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    root = tmp_path_factory.mktemp("query") / "warehouse"
    with open_lake(root, write=True) as lake:
        prepare(lake)
        publish(lake, first_run(lake))
        publish(lake, correction(lake))
    with open_lake(root) as opened:
        queries.lock(opened)
        yield opened


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "FROM segment_history",
        "WITH mine AS (SELECT subject FROM events) SELECT count(*) FROM mine",
        "SELECT * FROM lake.main.events e JOIN Consents USING (subject);",
        "DESCRIBE events",
        "SHOW TABLES",
        "SUMMARIZE run_manifest",
        "VALUES (1)",
        "SELECT unnest([1, 2]), * FROM range(3)",
        "FROM information_schema.columns",
    ],
)
def test_what_reads_the_warehouse_is_answered(reader: Lake, sql: str) -> None:
    assert queries.query(reader, sql).read_all().num_rows > 0


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM events",
        "SELECT 1; DROP TABLE events",
        "COPY events TO 'x.csv'",
        "ATTACH 'x.db'",
        "PRAGMA version",
        "SET threads = 1",
        "CREATE TABLE x AS SELECT 1",
        "CALL ducklake_snapshots('lake')",
        "FROM read_csv('/etc/passwd')",
        "FROM '/etc/passwd'",
        "FROM glob('/*')",
        "SELECT (SELECT count(*) FROM read_text('/etc/hostname'))",
        "FROM sqlite_scan('catalog.sqlite', 'ducklake_table')",
        "FROM query('SELECT 1')",
        "FROM query_table('events')",
        "FROM duckdb_secrets()",
        "FROM json_execute_serialized_sql('x')",
        'WITH "/etc/passwd" AS (SELECT 1) SELECT * FROM "/etc/passwd"',
        "FROM __ducklake_metadata_lake.ducklake_table",
        "SELEC 1",
        "",
    ],
)
def test_anything_else_is_refused(reader: Lake, sql: str) -> None:
    with pytest.raises(CallError):
        queries.query(reader, sql)


def test_a_hole_in_the_list_would_still_meet_a_locked_engine(reader: Lake, tmp_path: Path) -> None:
    for sql in (
        "FROM read_text('/etc/hostname')",
        f"COPY (SELECT 1) TO '{tmp_path}/x'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(Exception, match=r"disabled by configuration|locked"):
            reader.con.execute(sql)


def test_a_misspelt_table_is_answered_with_the_nearest(reader: Lake) -> None:
    with pytest.raises(CallError) as caught:
        queries.query(reader, "FROM segment_histroy")
    assert "did you mean `segment_history`?" in caught.value.hint
    with pytest.raises(CallError) as caught:
        queries.show(reader, "event")
    assert "did you mean `events`?" in caught.value.hint


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT subjct FROM events WHERE true", 'did you mean "subject"'),
        ("SELECT e.subjct FROM events e", 'did you mean "subject"?'),
        ("FROM (SELECT subject FROM events) ORDER BY subjekt", 'did you mean "subject"?'),
        ("SELECT countt(*) FROM events", 'did you mean "count"?'),
        ("SELECT amount + subject FROM events", ""),
        ("SELECT subject, count(*) FROM events", ""),
    ],
)
def test_a_misspelt_column_or_function_is_answered_with_the_nearest(reader: Lake, sql: str, hint: str) -> None:
    with pytest.raises(CallError, match="the query failed: ") as caught:
        queries.query(reader, sql)
    assert caught.value.hint.startswith(hint) if hint else caught.value.hint == ""


def test_an_error_of_a_value_quotes_none(reader: Lake) -> None:
    with pytest.raises(CallError) as caught:
        queries.query(reader, "SELECT CAST(subject AS INT) FROM events").read_all()
    assert "ann" not in f"{caught.value.message} {caught.value.hint} "
    assert caught.value.hint == "TRY_CAST gives null instead"


def test_as_of_answers_what_was_published_then(reader: Lake) -> None:
    members = "SELECT subject FROM as_of('2020-09-20 00:00:00Z', {})"
    assert queries.query(reader, members.format("'2020-09-30 00:00:00Z'")).read_all().to_pylist() == [
        {"subject": "ann"}
    ]
    assert queries.query(reader, members.format("'2020-10-30 00:00:00Z'")).read_all().to_pylist() == []


def test_show_gives_all_rows_or_so_many(reader: Lake) -> None:
    assert queries.show(reader, "events").read_all().num_rows == 2
    assert queries.show(reader, "events", 1).read_all().num_rows == 1


def test_a_sum_of_integers_is_a_number_in_json_and_a_sum_of_decimals_text(reader: Lake) -> None:
    out = io.StringIO()
    sums = "sum(version) AS n, 10 * sum(9000000000000000000::BIGINT) AS big, sum(amount) AS paid"
    write_rows(queries.query(reader, f"SELECT {sums} FROM events, segment_versions"), "json", out)
    assert out.getvalue() == '[\n{"n": 2, "big": 180000000000000000000, "paid": "19.00"}\n]\n'


def test_what_goes_wrong_while_rows_are_read_is_told_as_a_failed_query(reader: Lake) -> None:
    with pytest.raises(CallError, match="the query failed"):
        queries.query(reader, "SELECT CAST(subject AS INT) FROM events").read_all()
