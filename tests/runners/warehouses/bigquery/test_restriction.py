"""What a scan asks is said to BigQuery as far as it can be, and never more than is asked."""

from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from runners.warehouses.bigquery.restriction import restriction_of, text

COLUMNS = pa.schema(
    [
        ("subject", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("version", pa.int64()),
        ("member", pa.bool_()),
        ("amount", pa.decimal128(12, 2)),
    ]
)
AT, AMOUNT = pa.scalar(-5, pa.timestamp("us", "UTC")), pa.scalar(Decimal("1.00"), pa.decimal128(12, 2))
WHO, WHEN, VERSION, MEMBER, SPENT = map(pc.field, COLUMNS.names)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (WHO == "ann", "(`subject` = 'ann')"),
        (WHEN > AT, "(`at` > TIMESTAMP '1969-12-31 23:59:59.999995+00:00')"),
        (WHO.isin(["a", "b"]), "(`subject` IN ('a', 'b'))"),
        (WHEN.is_null() | (VERSION <= 3), "((`at` IS NULL) OR (`version` <= 3))"),
        ((MEMBER == True) & (VERSION != 3), "((`member` = TRUE) AND (`version` != 3))"),  # noqa: E712  an expression
    ],
)
def test_comparisons_are_said(asked: pc.Expression, said: str) -> None:
    assert restriction_of(asked, COLUMNS) == said


def test_of_what_must_all_hold_what_can_not_be_said_is_left_out() -> None:
    assert restriction_of((SPENT > AMOUNT) & (WHO == "ann"), COLUMNS) == "((`subject` = 'ann'))"


def test_of_what_may_hold_instead_nothing_is_said_unless_all_can_be() -> None:
    assert restriction_of((SPENT > AMOUNT) | (WHO == "ann"), COLUMNS) == ""


def test_instants_beyond_the_years_of_literals_are_sought_here() -> None:
    assert restriction_of(pa.scalar(2**62, AT.type) > WHEN, COLUMNS) == ""


def test_nothing_asked_is_nothing_said() -> None:
    assert restriction_of(None, COLUMNS) == ""


def test_more_ids_than_a_request_holds_are_sought_here() -> None:
    assert restriction_of(WHO.isin([f"subject-{n}" for n in range(10_000)]), COLUMNS) == ""


def test_no_text_ends_its_literal() -> None:
    assert text("a' OR \\1=1--\n\x00") == r"'a\' OR \\1=1--\n\x00'"


class _Told(ds.Dataset):  # type: ignore[misc]
    """Keeps what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def schema(self) -> pa.Schema:
        return COLUMNS

    def scanner(self, columns: list[str], filter: pc.Expression | None = None) -> ds.Scanner:  # noqa: A002
        self.asked.append(restriction_of(filter, COLUMNS))
        return ds.Scanner.from_batches([], schema=pa.schema([COLUMNS.field(name) for name in columns]))


def test_what_a_query_asks_of_one_subject_and_of_an_instant_reaches_bigquery() -> None:
    con, told = duckdb.connect(), _Told()
    con.execute("SET TimeZone = 'UTC'")
    con.register("events", told)
    con.execute("SELECT version FROM events SEMI JOIN (VALUES ('ann')) AS asked(subject) USING (subject)").fetchall()
    con.execute('SELECT version FROM events WHERE "at" > make_timestamptz(CAST(7 AS BIGINT))').fetchall()
    assert "`subject`" in told.asked[0] and "'ann'" in told.asked[0]
    assert told.asked[1] == "(`at` > TIMESTAMP '1970-01-01 00:00:00.000007+00:00')"
