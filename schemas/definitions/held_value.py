"""Values of YAML as columns hold them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from schemas.definitions.datatype import DataType
from schemas.definitions.instant import EPOCH, parse_date, parse_instant

_PLAIN: dict[str, type] = {"string": str, "int": int, "bool": bool}


def value_of(value: Any, kind: DataType, timezone: str = "UTC") -> Any:
    """A value of YAML as a column of a type holds it. Raises ValueError."""
    if kind.item is not None and isinstance(value, list):
        return [None if part is None else value_of(part, kind.item, timezone) for part in value]
    if kind.kind == "timestamp" and isinstance(value, str):
        return parse_instant(value, timezone)
    if kind.kind == "date" and isinstance(value, str):
        return EPOCH.date() + timedelta(days=parse_date(value))
    if kind.kind == "decimal" and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _rounded(Decimal(value), kind)
    if kind.kind == "float" and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return float(value)
    if kind.kind in _PLAIN and type(value) is _PLAIN[kind.kind]:
        return value
    raise ValueError(f"no {kind}")


def _rounded(value: Decimal, kind: DataType) -> Decimal:
    """To the digits of the column, half away from zero, as when a record is read (semantics 2.8)."""
    sign, digits, exponent = value.as_tuple()
    places = -int(exponent) - int(kind.scale or 0)
    number = int("".join(map(str, digits)))
    scaled = (number + 5 * 10 ** (places - 1)) // 10**places if places > 0 else number * 10**-places
    if scaled >= 10 ** int(kind.precision or 0):
        raise ValueError("too many digits")
    return Decimal((sign, tuple(map(int, str(scaled))), -int(kind.scale or 0)))
