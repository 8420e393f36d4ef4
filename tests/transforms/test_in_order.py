"""What is read beside rows is read in their order, whatever order the engine answers in."""

import pyarrow as pa
import pytest

from transforms.algebra.engine import connect
from transforms.in_order import PLACE, in_order


def asked(sql: str) -> list[int]:
    con = connect()
    try:
        return in_order(con, pa.table({"number": list(range(5_000))}), sql)["number"].to_pylist()
    finally:
        con.close()


def test_an_answer_in_another_order_is_put_back() -> None:
    assert asked(f"SELECT {PLACE}, number FROM rows ORDER BY hash(number)") == list(range(5_000))


@pytest.mark.parametrize(
    "sql", ["FROM rows WHERE number > 0", "FROM rows UNION ALL SELECT 3, 3", "FROM rows, range(2)"]
)
def test_an_answer_that_is_not_one_for_each_row_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match="once for each row"):
        asked(f"SELECT {PLACE}, number {sql}")
