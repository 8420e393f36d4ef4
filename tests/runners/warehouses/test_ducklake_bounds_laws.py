"""The law of bounds: of the same rows a warehouse and a plain table say the same, whatever commits have written them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

import duckdb
import pytest

from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import quoted

COMMITS = 5
COLUMNS = "part BIGINT, n BIGINT, word VARCHAR, share DOUBLE, told_at TIMESTAMPTZ, is_new BOOLEAN, price DECIMAL(10, 2)"
VALUES: Mapping[str, Callable[[Random], str]] = {
    "n": lambda dice: str(dice.randint(-5, 70_000)),
    "word": lambda dice: quoted("".join(dice.choices("aBzé", k=dice.randint(0, 12)))),
    "share": lambda dice: dice.choice(("'nan'", "'inf'", "'-inf'", "-2.0", "0.0", "1.5", "1e300")),
    "told_at": lambda dice: f"'20{dice.randint(0, 40):02}-01-01 00:00:00+00'",
    "is_new": lambda dice: dice.choice(("true", "false")),
    "price": lambda dice: f"{dice.randint(-9, 9_999)}.{dice.randint(0, 99):02}",
}
QUESTIONS = (
    "FROM told ORDER BY ALL",
    "SELECT min(COLUMNS(*)), max(COLUMNS(*)) FROM told",
    "SELECT n, count(*), sum(price), max(length(word)) FROM told GROUP BY n ORDER BY n",
    "SELECT count(*) FROM told WHERE n < 100",
    "SELECT count(*) FROM told WHERE n IS NULL OR share IS NULL",
    "SELECT count(*) FROM told WHERE word > 'a'",
    "SELECT count(*) FROM told WHERE share > 1e10 OR isnan(share)",
    "SELECT count(*) FROM told WHERE told_at > TIMESTAMPTZ '2020-01-01 00:00:00+00'",
    "SELECT count(*) FROM told WHERE is_new AND price BETWEEN 0 AND 10",
)


def commit(dice: Random) -> Iterator[str]:
    """A few rows, some columns of which are mostly null, and now and then the end of all that are of one part."""
    nulls = {name: dice.choice((0.1, 0.1, 0.8)) for name in VALUES}
    rows = []
    for _ in range(dice.randint(1, 4)):
        values = ("NULL" if dice.random() < nulls[name] else value(dice) for name, value in VALUES.items())
        rows.append(f"({', '.join([str(dice.randint(0, 5)), *values])})")
    yield f"INSERT INTO told VALUES {', '.join(rows)}"
    if dice.random() < 0.2:
        yield f"DELETE FROM told WHERE part = {dice.randint(0, 5)}"


def answers(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, ...]]]:
    """Each question, and its answer as text: of numbers, nan is not what it is."""
    as_text = "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({})"
    return {question: con.execute(as_text.format(question)).fetchall() for question in QUESTIONS}


@pytest.mark.parametrize("seed", [0, 10, 21, 29])
def test_what_random_commits_wrote_is_read_as_from_a_plain_table(tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    with open_lake(tmp_path, write=True) as lake, duckdb.connect() as plain:
        plain.execute("SET TimeZone = 'UTC'")
        both = (lake.con, plain)
        for con in both:
            con.execute(f"CREATE TABLE told ({COLUMNS})")
        if dice.random() < 0.7:
            lake.run("ALTER TABLE told SET PARTITIONED BY (part)")
        for _ in range(COMMITS):
            for statement in commit(dice):
                for con in both:
                    con.execute(statement)
            assert answers(lake.con) == answers(plain)
