"""Every type of a table has its like in BigQuery, and comes back as it was."""

from decimal import Decimal

import pyarrow as pa
import pytest

from runners.warehouses.bigquery.types import ABSENT, arrow_of, field_of, fields_of, restored, stored, text_of
from runners.warehouses.tables import TABLES


@pytest.mark.parametrize(
    ("kind", "said", "back"),
    [
        (pa.int32(), "INT64", pa.int64()),
        (pa.decimal128(12, 2), "NUMERIC(12, 2)", pa.decimal128(12, 2)),
        (pa.decimal128(38, 9), "NUMERIC(38, 9)", pa.decimal128(38, 9)),
        (pa.decimal128(38, 2), "NUMERIC(31, 2)", pa.decimal128(38, 2)),
        (pa.decimal128(35, 2), "BIGNUMERIC(35, 2)", pa.decimal128(35, 2)),
        (pa.decimal128(20, 12), "BIGNUMERIC(20, 12)", pa.decimal128(20, 12)),
        (pa.list_(pa.decimal128(12, 2)), "ARRAY<NUMERIC(12, 2)>", pa.list_(pa.decimal128(12, 2))),
        (pa.binary(32), "BYTES", pa.binary()),
    ],
)
def test_types_map_one_to_one(kind: pa.DataType, said: str, back: pa.DataType) -> None:
    field = field_of("x", kind, "what it is")
    assert (text_of(field), field.description) == (said, "what it is")
    assert arrow_of([field]).field("x").type == back


def test_every_table_can_be_made() -> None:
    for table in TABLES:
        made = fields_of(table.schema, table.comments)
        assert [one.name for one in made if one.name != ABSENT] == table.schema.names
        assert (made[-1].name == ABSENT) == any(map(pa.types.is_list, table.schema.types))


ROWS = pa.table(
    {
        "id": [1, 2, 3],
        "tags": pa.array([["a"], [], None], pa.list_(pa.string())),
        "prices": pa.array([None, [Decimal("1.10")], []], pa.list_(pa.decimal128(12, 2))),
    }
)


def test_null_lists_are_named_beside_the_row_and_come_back() -> None:
    kept = stored(ROWS)
    assert kept["tags"].null_count == kept["prices"].null_count == 0
    assert kept[ABSENT].to_pylist() == [",prices,", "", ",tags,"]
    assert restored(kept, ROWS.schema).equals(ROWS)


def test_rows_of_before_there_was_a_list_have_none() -> None:
    kept = stored(ROWS.slice(0, 1)).set_column(3, ABSENT, pa.array([None], pa.string()))
    assert restored(kept, ROWS.schema)["tags"].to_pylist() == [["a"]]


def test_rows_without_lists_are_stored_as_they_are() -> None:
    assert stored(ROWS.select(["id"])).column_names == ["id"]
