"""Text to declared types, checked as written."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.datatype import DataType
from transforms.columns import content_of, offsets_of
from transforms.instants import instant_sql, quick_micros

_INT = "[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"

_LONGEST = 30


def typed_sql(text: str, kind: DataType) -> str:
    """An expression over a text: its value of the type, null where it is none. `3.0` is not an int."""
    if kind.kind == "string":
        return text
    if kind.kind == "int":
        return f"CASE WHEN regexp_full_match({text}, '{_INT}') THEN TRY_CAST({text} AS BIGINT) END"
    if kind.kind == "bool":
        return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if kind.kind == "date":
        return (
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN TRY_CAST({text} AS DATE) END"
        )
    if kind.kind == "timestamp":
        return instant_sql(text, "iso")[0]
    if kind.item is not None:
        return _list_sql(text, kind.item)
    value = f"CASE WHEN regexp_full_match({text}, '{_NUMBER}') THEN TRY_CAST({text} AS {kind.duckdb}) END"
    return f"CASE WHEN isfinite({value}) THEN {value} END" if kind.kind == "float" else value


def _list_sql(text: str, item: DataType) -> str:
    """A list is written as JSON; one bad item makes the whole list bad."""
    items = f"TRY_CAST(TRY_CAST({text} AS JSON) AS VARCHAR[])"
    made = f"list_transform({items}, lambda x: {typed_sql('x', item)})"
    good = f"len(list_filter({items}, lambda x: x IS NULL OR ({typed_sql('x', item)}) IS NOT NULL)) = len({items})"
    return f"CASE WHEN json_valid({text}) AND json_type({text}) = 'ARRAY' AND {good} THEN {made} END"


def normal_sql(column: str, steps: Sequence[str]) -> str:
    """Ids made equal: `trim` and `lower`, in order."""
    for step in steps:
        column = f"{step}({column})"
    return column


def quick_values(text: pa.StringArray, kind: DataType) -> pa.Array | None:
    """What `typed_sql` makes of plainly written texts, instants as microseconds; None where any is none of its type so."""
    if kind.kind == "string":
        return text
    if kind.kind == "bool":
        said = pc.equal(text, "true")
        return said if pc.all(pc.or_(said, pc.equal(text, "false")), min_count=0).as_py() else None
    if kind.kind == "timestamp":
        return quick_micros(text)
    if kind.kind not in ("int", "float", "decimal") or not _are_digits(text):
        return None
    try:
        found = text.cast(kind.arrow)
    except pa.ArrowInvalid:
        return None
    return found if kind.kind != "float" or pc.all(pc.is_finite(found), min_count=0).as_py() else None


def _are_digits(text: pa.StringArray) -> bool:
    """Whether there are only digits, signs and points, and two characters that no reader takes for a part of a number.

    None may be so long that it runs over in Arrow, which would not tell.
    """
    is_short = int(np.diff(offsets_of(text)).max(initial=0)) <= _LONGEST
    return is_short and bool((content_of(text) - np.uint8(43) <= 14).all())
