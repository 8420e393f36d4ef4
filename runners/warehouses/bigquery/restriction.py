"""What a scan asks of rows, as Storage Read's restriction says it: all that it can say, and never more than is asked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from runners.warehouses.bigquery.substrait import ExtendedExpression

_COMPARED = {"equal": "=", "not_equal": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_TESTED = {"is_null": "IS NULL", "is_not_null": "IS NOT NULL"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 100_000
"""Characters: a longer one is left out, and the rows are sought here."""


def restriction_of(asked: pc.Expression | None, schema: pa.Schema) -> str:
    """A condition that all asked rows meet, as SQL of BigQuery; empty where nothing can be said."""
    if asked is None:
        return ""
    said = ExtendedExpression()
    said.ParseFromString(bytes(asked.to_substrait(schema)))
    functions = {one.extension_function.function_anchor: one.extension_function.name for one in said.extensions}
    found = _Saying(functions, schema.names).of(said.referred_expr[0].expression)
    return found if found and len(found) <= _LONGEST else ""


class _Saying:
    """Writes expressions over columns; what it can not write is None."""

    def __init__(self, functions: dict[int, str], names: Sequence[str]) -> None:
        self.functions, self.names = functions, names

    def of(self, asked: Any) -> str | None:
        """A condition."""
        kind = asked.WhichOneof("kind")
        if kind == "singular_or_list":
            return self._among(asked.singular_or_list)
        if kind != "scalar_function":
            return None
        function = self.functions.get(asked.scalar_function.function_reference, "")
        arguments = [one.value for one in asked.scalar_function.arguments]
        if function in ("and", "or"):
            return self._joined(function, [self.of(one) for one in arguments])
        if function in _TESTED:
            column = self._value(arguments[0])
            return column and f"({column} {_TESTED[function]})"
        return self._compared(_COMPARED.get(function), [self._value(one) for one in arguments])

    def _joined(self, function: str, parts: list[str | None]) -> str | None:
        """Of what must all hold, what can be said is enough."""
        known = [part for part in parts if part]
        if not known or (function == "or" and len(known) < len(parts)):
            return None
        return f"({f' {function.upper()} '.join(known)})"

    def _compared(self, operator: str | None, sides: list[str | None]) -> str | None:
        return f"({sides[0]} {operator} {sides[1]})" if operator and all(sides) else None

    def _among(self, asked: Any) -> str | None:
        column, options = self._value(asked.value), [self._value(one) for one in asked.options]
        return f"({column} IN ({', '.join(map(str, options))}))" if column and options and all(options) else None

    def _value(self, asked: Any) -> str | None:
        """A column or a constant."""
        kind = asked.WhichOneof("kind")
        if kind == "selection":
            return f"`{self.names[asked.selection.direct_reference.struct_field.field]}`"
        return _constant(asked.literal) if kind == "literal" else None


def _constant(literal: Any) -> str | None:
    kind = literal.WhichOneof("kind")
    value: Any = getattr(literal, kind) if kind else None
    if kind in ("i8", "i16", "i32", "i64"):
        return str(value)
    if kind == "boolean":
        return str(value).upper()
    if kind == "string":
        return text(value)
    return _instant(value) if kind == "timestamp_tz" else None


def _instant(at: int) -> str | None:
    """An instant as a literal; none of years that no literal has."""
    try:
        return f"TIMESTAMP '{_EPOCH + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S.%f}+00:00'"
    except OverflowError:
        return None


def text(value: str) -> str:
    """A text as a literal of BigQuery."""
    return "'" + "".join(_ESCAPED.get(one, one) for one in value) + "'"


# What ends a literal, what escapes, and what no literal may hold as it is.
_ESCAPED = {
    **{chr(code): f"\\x{code:02x}" for code in range(32)},
    **{one: "\\" + one for one in ("\\", "'")},
    "\n": "\\n",
    "\r": "\\r",
}
