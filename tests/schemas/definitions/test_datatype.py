import pickle

import pyarrow as pa
import pytest
from pydantic_core import PydanticCustomError

from schemas.definitions.datatype import DataType

ALL = ("string", "int", "float", "decimal(12,2)", "bool", "timestamp", "date", "list(string)", "list(decimal(5,0))")


@pytest.mark.parametrize("text", ALL)
def test_a_type_is_written_as_it_is_read(text: str) -> None:
    assert str(DataType.parse(text)) == text


@pytest.mark.parametrize("text", ALL)
def test_duckdb_knows_every_type_by_a_name_that_leads_back(text: str) -> None:
    assert DataType.of_duckdb(DataType.parse(text).duckdb) == DataType.parse(text)


def test_arrow_holds_each_exactly() -> None:
    assert [DataType.parse(text).arrow for text in ALL[:7]] == [
        *(
            pa.string(),
            pa.int64(),
            pa.float64(),
            pa.decimal128(12, 2),
            pa.bool_(),
            pa.timestamp("us", tz="UTC"),
            pa.date32(),
        ),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "Int",
        "decimal",
        "decimal(0,0)",
        "decimal(39,2)",
        "decimal(2,3)",
        "list",
        "list()",
        "list(list(int))",
        "list(x)",
        "int ",
    ],
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="type|decimal|list"):
        DataType.parse(text)


def test_an_integer_of_any_width_is_an_int() -> None:
    assert {DataType.of_duckdb(name).kind for name in ("INTEGER", "BIGINT", "UTINYINT")} == {"int"}


def test_a_type_of_the_engine_that_no_property_has_is_refused() -> None:
    with pytest.raises(ValueError, match="STRUCT"):
        DataType.of_duckdb("STRUCT(a INTEGER)")


def test_a_type_travels() -> None:
    assert pickle.loads(pickle.dumps(DataType.parse("list(int)"))) == DataType.parse("list(int)")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("text", "string"), ("varchar(20)", "string"), ("Integer", "int"), ("double", "float"), ("numeric(9,2)", "decimal(p,s)"),
     ("datetime", "timestamp"), ("boolean", "bool"), ("array", "list(T)")],
)  # fmt: skip
def test_what_other_systems_call_a_type_leads_to_its_name(text: str, meant: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        DataType.parse(text)
    assert (refused.value.context or {})["nearest"] == meant
