"""The types of properties: string int float decimal(p,s) bool timestamp date list(T)."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import PlainValidator

from schemas.definitions.refusal import nearest_to, refuse, show
from schemas.definitions.takes import takes_text

Kind = Literal["string", "int", "float", "decimal", "bool", "timestamp", "date", "list"]

_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}
_DUCKDB = {
    "string": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
}
_FROM_DUCKDB: dict[str, Kind] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "int"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "float"),
    "VARCHAR": "string",
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
_WORDS = ("string", "int", "float", "decimal(p,s)", "bool", "timestamp", "date", "list(T)")
_ELSEWHERE = {
    **dict.fromkeys(("text", "varchar", "char", "utf8"), "string"),
    **dict.fromkeys(("integer", "bigint", "smallint", "long", "int64", "int32"), "int"),
    **dict.fromkeys(("double", "real", "float64", "float32"), "float"),
    **dict.fromkeys(("number", "numeric", "money"), "decimal(p,s)"),
    **dict.fromkeys(("datetime", "timestamptz", "instant"), "timestamp"),
    **dict.fromkeys(("array", "struct"), "list(T)"),
}
"""What other systems call the types."""
_DECIMAL = re.compile(r"decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)", re.IGNORECASE)
_LIST = re.compile(r"list\(\s*(.+?)\s*\)")
MAX_PRECISION = 38


@dataclass(frozen=True)
class DataType:
    """One type. `precision` and `scale` belong to decimals, `item` to lists."""

    kind: Kind
    precision: int | None = None
    scale: int | None = None
    item: "DataType | None" = None

    @classmethod
    def parse(cls, text: str) -> "DataType":
        """Read a type as it is written in a definition. Raises ValueError."""
        if text in _ARROW:
            return cls(text)  # type: ignore[arg-type]
        if found := _DECIMAL.fullmatch(text):
            return cls.decimal(int(found[1]), int(found[2]))
        if found := _LIST.fullmatch(text):
            item = cls.parse(found[1])
            if item.kind == "list":
                raise refuse("SEG-0113", "a list holds values, not lists", expected="list(T)", found=show(text))
            return cls("list", item=item)
        raise _unreadable(text)

    @classmethod
    def decimal(cls, precision: int, scale: int) -> "DataType":
        """A decimal of so many digits, so many of them after the point. Raises ValueError."""
        if not 1 <= precision <= MAX_PRECISION or not 0 <= scale <= precision:
            wanted = f"decimal(p,s) with 1 <= p <= {MAX_PRECISION} and 0 <= s <= p"
            raise refuse("SEG-0113", "no such decimal", expected=wanted, found=f"decimal({precision},{scale})")
        return cls("decimal", precision=precision, scale=scale)

    @classmethod
    def of_duckdb(cls, text: str) -> "DataType":
        """The type that DuckDB's DESCRIBE calls so. Raises ValueError for types that no property can have."""
        if text.endswith("[]"):
            return cls("list", item=cls.of_duckdb(text[:-2]))
        if text in _FROM_DUCKDB:
            return cls(_FROM_DUCKDB[text])
        if found := _DECIMAL.fullmatch(text):
            return cls.decimal(int(found[1]), int(found[2]))
        if text in ("HUGEINT", "UBIGINT"):
            return cls.decimal(MAX_PRECISION, 0)
        raise ValueError(f"{text} is not a type of the definition language")

    @classmethod
    def of_arrow(cls, kind: pa.DataType) -> "DataType":
        """The type of an Arrow column of values; texts may be coded. Raises KeyError for types that no property has."""
        if pa.types.is_decimal(kind):
            return cls.decimal(kind.precision, kind.scale)
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        return cls({arrow: name for name, arrow in _ARROW.items()}[kind])  # type: ignore[arg-type]

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of a column."""
        if self.kind == "decimal":
            return pa.decimal128(self.precision, self.scale)
        if self.item is not None:
            return pa.list_(self.item.arrow)
        return _ARROW[self.kind]

    @property
    def duckdb(self) -> str:
        """The name of the type in DuckDB's SQL."""
        if self.kind == "decimal":
            return f"DECIMAL({self.precision},{self.scale})"
        if self.item is not None:
            return f"{self.item.duckdb}[]"
        return _DUCKDB[self.kind]

    @property
    def is_number(self) -> bool:
        """Whether values can be ordered and compared as numbers."""
        return self.kind in ("int", "float", "decimal")

    def __str__(self) -> str:
        if self.kind == "decimal":
            return f"decimal({self.precision},{self.scale})"
        return f"list({self.item})" if self.item is not None else self.kind


def _unreadable(text: object) -> ValueError:
    if text == "decimal":
        return refuse(
            "SEG-0113", "a decimal says its digits", expected="decimal(p,s), as in decimal(12,2)", found="decimal"
        )
    nearest = _ELSEWHERE.get(str(text).lower().partition("(")[0]) or nearest_to(text, _WORDS)
    return refuse("SEG-0113", "no such type", expected=" ".join(_WORDS), found=show(text), nearest=nearest)


def _read(value: Any) -> DataType:
    if isinstance(value, DataType):
        return value
    if not isinstance(value, str):
        raise _unreadable(value)
    return DataType.parse(value)


_NAMES = r"string|int|float|[Dd]ecimal\(\s*[0-9]{1,2}\s*,\s*[0-9]{1,2}\s*\)|bool|timestamp|date"
TYPE = takes_text("a type", rf"^({_NAMES}|list\(\s*({_NAMES})\s*\))$")
AnyDataType = Annotated[DataType, PlainValidator(_read), TYPE]
"""A field that holds a type, read from its text."""
