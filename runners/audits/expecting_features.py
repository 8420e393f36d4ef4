"""What the user expects of feature columns, held against every staged value of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from runners.audits.expectations import FeatureExpectation
from runners.audits.finding import Checked, Finding, place
from runners.audits.validating import Asked, unmet
from runners.warehouses.lake import Lake, named, quoted
from schemas.definitions.lineage import Item


def features_met(lake: Lake, expected: Mapping[str, FeatureExpectation]) -> Iterator[Checked]:
    """Each expectation of a column, with the rows that break it."""
    wanted = [asked for column, said in expected.items() for asked in _asked(column, said)]
    if not wanted:
        return
    frame = lake.arrow(f"SELECT _file, _row, {', '.join(map(named, expected))} FROM staged_feature_rows")
    found = unmet(frame, wanted) if len(frame) else [(asked, None) for asked in wanted]
    for (column, _, arguments), rows in found:
        what, sql = _in_words(column, arguments)
        finding = None
        if rows is not None:
            places = tuple(place(frame["_file"][row].as_py(), frame["_row"][row].as_py()) for row in rows[:3])
            why = "the value is null" if not arguments else f"the value is not {what}"
            finding = Finding(f"feature `{column}`", len(rows), why, places, Item("features", expected[column].group))
        where = f"SELECT _file, _row FROM staged_feature_rows WHERE {sql}"
        yield Checked(f"feature `{column}`: {what}", f"{len(rows or ()):,} rows", "0 rows", finding, where)


def _asked(column: str, said: FeatureExpectation) -> Iterator[Asked]:
    if said.not_null:
        yield column, "ExpectColumnValuesToNotBeNull", {}
    if said.between is not None:
        low, high = said.between
        yield column, "ExpectColumnValuesToBeBetween", {"min_value": low, "max_value": high}
    if said.allowed is not None:
        yield column, "ExpectColumnValuesToBeInSet", {"value_set": list(said.allowed)}


def _in_words(column: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    """What a value must be, and the condition of SQL on one that is not."""
    if "value_set" in arguments:
        values = ", ".join(quoted(one) if isinstance(one, str) else str(one) for one in arguments["value_set"])
        return "among those that are expected", f"{named(column)} NOT IN ({values})"
    if "min_value" in arguments:
        bounds = f"{arguments['min_value']} and {arguments['max_value']}"
        return f"between {bounds}", f"{named(column)} NOT BETWEEN {bounds.upper()}"
    return "not null", f"{named(column)} IS NULL"
