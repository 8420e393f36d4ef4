"""Written instants as microseconds UTC: ISO 8601, numbers, patterns; wall clocks by their zone (semantics 2.1)."""

from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.definitions.instant import zone
from transforms.algebra.order import Ints
from transforms.columns import offsets_of

_NUMBER = "regexp_full_match({x}, '[+-]?[0-9]{{1,18}}(\\.[0-9]*)?')"
_ISO = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?\s?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)
_OFFSET = r".*[0-9:]\s?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$"
_QUARTER = 900_000_000
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
INSTANT = pa.timestamp("us", tz="UTC")


def in_range_sql(micros: str) -> str:
    """Microseconds of the years 1 to 9999; null for all others."""
    return f"CASE WHEN {micros} BETWEEN {_FIRST} AND {_LAST} THEN {micros} END"


def instant_sql(text: str, form: str) -> tuple[str, str]:
    """Two expressions over a text: its microseconds as if UTC (null where it is none), and whether it names no offset.

    A bare number is an instant only where `form` says its unit.
    """
    micros, is_naive = _micros_sql(text, form)
    return in_range_sql(micros), is_naive


def _micros_sql(text: str, form: str) -> tuple[str, str]:
    if form in _UNITS:
        number = f"TRY_CAST(floor(TRY_CAST({text} AS DECIMAL(38,9)) * {_UNITS[form]}) AS BIGINT)"
        return f"CASE WHEN {_NUMBER.format(x=text)} THEN {number} END", "false"
    if form == "date":
        shaped = f"regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
        return f"CASE WHEN {shaped} THEN epoch_us(TRY_CAST({text} AS DATE)::TIMESTAMP) END", "true"
    if "%" in form:
        pattern = "'" + form.replace("'", "''") + "'"
        return f"epoch_us(try_strptime({text}, {pattern}))", "false" if "%z" in form else "true"
    return _iso(text)


def _iso(text: str) -> tuple[str, str]:
    """Of the usual forms the engine's own cast is right; the rarer ones are brought into them first."""
    offset = f"regexp_matches({text}, '{_OFFSET}') AND length({text}) > 10"
    tidy = f"replace(regexp_replace({text}, '([Tt ][0-9]{{2}}:[0-9]{{2}})(\\s?)([Zz+-]|$)', '\\1:00\\2\\3'), ',', '.')"
    with_offset, without = (f"epoch_us(TRY_CAST({tidy} AS {kind}))" for kind in ("TIMESTAMPTZ", "TIMESTAMP"))
    cast = f"CASE WHEN {offset} THEN {with_offset} ELSE {without} END"
    usual = f"epoch_us(TRY_CAST({text} AS TIMESTAMPTZ))"
    plain = f"length({text}) BETWEEN 20 AND 30 AND {text}[11] = 'T' AND {text}[-1] = 'Z' AND {text}[5] = '-'"
    slow = f"CASE WHEN regexp_full_match({text}, '{_ISO}') THEN {cast} END"
    return f"CASE WHEN {plain} THEN {usual} ELSE {slow} END", f"NOT ({plain}) AND NOT ({offset})"


def quick_micros(text: pa.StringArray) -> pa.Array | None:
    """Microseconds of instants that are all written like 2025-01-01T00:00:00.000000Z, with up to six digits; else None."""
    sizes = np.diff(offsets_of(text))
    said = np.asarray(text.is_valid()).astype(np.bool_) if text.null_count else np.ones(len(text), np.bool_)
    begin = offsets_of(text)[:-1][said]
    if not len(begin):
        return pa.nulls(len(text), pa.int64())
    content, last = np.frombuffer(text.buffers()[2], np.uint8), begin + sizes[said] - 1
    if (
        sizes[said].min() < 20
        or sizes[said].max() > 27
        or not ((content[begin + 10] == ord("T")).all() and (content[last] == ord("Z")).all())
    ):
        return None
    try:
        micros = text.cast(INSTANT).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    return micros if pc.min(micros).as_py() >= _FIRST else None


def localised(micros: Ints, naive: np.ndarray, timezone: str) -> Ints:
    """Instants in UTC from wall-clock times where `naive`: the earlier of two, after a gap the same time elapsed."""
    if timezone == "UTC" or not naive.any():
        return micros
    quarters, index = np.unique(micros[naive] // _QUARTER, return_inverse=True)
    offsets = np.array([_offset(int(quarter), timezone) for quarter in quarters], np.int64)
    result = micros.copy()
    result[naive] -= offsets[index]
    return result


@lru_cache(maxsize=200_000)
def _offset(quarter: int, timezone: str) -> int:
    """The offset, in microseconds, of the wall-clock times of a quarter of an hour."""
    local = datetime(1970, 1, 1) + timedelta(microseconds=quarter * _QUARTER)  # noqa: DTZ001  a wall clock
    offset = local.replace(tzinfo=zone(timezone), fold=0).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)
