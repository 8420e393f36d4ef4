"""Hold what is staged against what the user expects of it, by Great Expectations over small frames."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from runners.expectations import FeatureExpectation
from runners.finding import Finding, place
from runners.run_plan import RunPlan
from runners.warehouses.lake import Lake, named, quoted
from schemas.definitions.comparison import Comparison
from schemas.definitions.condition import Compare, Condition, Either, Every, IsNull, Negation
from schemas.definitions.lineage import Item
from schemas.errors import JobFailed
from schemas.kinds import KINDS

if TYPE_CHECKING:
    import pandas as pd

_DAY_US = 86_400_000_000

Asked = tuple[str, str, dict[str, Any]]
"""A column, the name of an expectation of Great Expectations, and its arguments."""


def broken_expectations(lake: Lake, plan: RunPlan) -> list[Finding]:
    """The user's expectations that the staged run does not meet."""
    if not plan.expectations:
        return []
    return [*_measures(lake, plan), *_features(lake, plan.expectations.features)]


def _measures(lake: Lake, plan: RunPlan) -> Iterator[Finding]:
    """Of segments and sources: each measure is a column of one row."""
    asked = {**_segments_asked(plan), **_sources_asked(plan)}
    if not asked:
        return
    values = {**_segment_values(lake, plan), **_source_values(lake, plan)}
    row: dict[str, Any] = {label: values.get(label) for label in asked}
    wanted: list[Asked] = []
    for label, (_, comparison) in asked.items():
        direct = _translated(label, comparison.tree)
        if direct is None:  # no single expectation says this: its answer is the column
            row[label] = _holds(comparison.tree, values.get(label))
            direct = [(label, "ExpectColumnValuesToBeInSet", {"value_set": [True]})]
        wanted += direct
    frame = pa.table({label: pa.array([value]) for label, value in row.items()})
    for label in sorted({label for (label, _, _), _ in _unmet(frame, wanted)}):
        value, (item, comparison) = values.get(label), asked[label]
        yield Finding(label, 1, f"it is {_shown(value)}, expected {comparison.text}", concerns=item)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _segments_asked(plan: RunPlan) -> dict[str, tuple[Item, Comparison]]:
    said = plan.expectations.segments.items()
    return {
        f"segment `{name}`: {measure}": (Item("segments", name), one)
        for name, by in said
        for measure, one in by.items()
    }


def _sources_asked(plan: RunPlan) -> dict[str, tuple[Item, Comparison]]:
    asked = {}
    for name, said in plan.expectations.sources.items():
        item = Item("sources", name)
        if said.quarantined is not None:
            asked[f"source `{name}`: quarantined"] = item, said.quarantined
        if said.freshness_us is not None:
            days = Decimal(said.freshness_us) / _DAY_US
            asked[f"source `{name}`: days since its newest record"] = item, Comparison(Compare("<=", days))
    return asked


_SIZES = """
WITH before AS (
  SELECT segment, sum(CASE WHEN member THEN 1 ELSE -1 END) AS members
  FROM segment_transitions WHERE known_to IS NULL GROUP BY segment
), after AS (
  SELECT segment, version, sum(CASE WHEN member THEN 1 ELSE -1 END) AS members FROM (
    SELECT segment, version, member FROM (FROM segment_transitions WHERE known_to IS NULL)
    ANTI JOIN run_closings USING (segment, version, subject, "at")
    UNION ALL SELECT segment, version, member FROM run_transitions
  ) GROUP BY segment, version
)
SELECT v.segment, CAST(coalesce(a.members, 0) AS BIGINT), CAST(b.members AS BIGINT)
FROM run_versions v LEFT JOIN after a USING (segment, version) LEFT JOIN before b ON b.segment = v.segment
"""


def _segment_values(lake: Lake, plan: RunPlan) -> dict[str, int | float | None]:
    """Size and share of every segment as it would be published, and its change against what is published now."""
    measured = {measure for by in plan.expectations.segments.values() for measure in by}
    known = _known_subjects(lake) if "share" in measured else 0
    values: dict[str, int | float | None] = {}
    for segment, size, before in lake.rows(_SIZES) if measured else []:
        values[f"segment `{segment}`: size"] = size
        values[f"segment `{segment}`: share"] = size / known if known else None
        values[f"segment `{segment}`: change"] = (size - before) / before if before else None
    return values


def _known_subjects(lake: Lake) -> int:
    """How many subjects are known at T: each purpose has a verdict for every one."""
    return int(lake.value("SELECT coalesce(max(n), 0) FROM (SELECT sum(subjects) AS n FROM staged_verdicts GROUP BY purpose)"))


def _facts(name: str, plan: RunPlan) -> tuple[str, ...]:
    """The tables that hold all facts of a kind once this run is published."""
    return (f"staged_{name}",) if plan.full_refresh else (name, f"staged_{name}")


def _source_values(lake: Lake, plan: RunPlan) -> dict[str, int | float | None]:
    """The share of this run's records that was set aside, and the age at T of the newest record, of each source."""
    values: dict[str, int | float | None] = {}
    for name in plan.expectations.sources:
        kept, newest = lake.rows(
            "SELECT count(*) FILTER (fresh), max(epoch_us(received_at)) FROM ("
            + " UNION ALL ".join(
                f"SELECT received_at, {str(table.startswith('staged')).lower()} AS fresh FROM {table} "
                f"WHERE source = {quoted(name)}"
                for kind in KINDS
                for table in _facts(kind, plan)
            )
            + ")"
        )[0]
        aside = lake.value(f"SELECT count(*) FROM staged_quarantine WHERE source = {quoted(name)}")
        values[f"source `{name}`: quarantined"] = aside / (aside + kept) if aside + kept else None
        age = None if newest is None else (plan.t_at - newest) / _DAY_US
        values[f"source `{name}`: days since its newest record"] = age
    return values


def _features(lake: Lake, expected: Mapping[str, FeatureExpectation]) -> Iterator[Finding]:
    """Of features: every staged value of the columns that something is expected of."""
    if not expected or not lake.value("SELECT count(*) FROM staged_feature_rows"):
        return
    columns = ", ".join(map(named, expected))
    frame = lake.arrow(f"SELECT _file, _row, {columns} FROM staged_feature_rows")
    wanted = [asked for column, said in expected.items() for asked in _feature_asked(column, said)]
    for (column, _, arguments), rows in _unmet(frame, wanted):
        why = _wanted(arguments)
        places = tuple(place(frame["_file"][row].as_py(), frame["_row"][row].as_py()) for row in rows[:3])
        yield Finding(f"feature `{column}`", len(rows), why, places, Item("features", expected[column].group))


def _feature_asked(column: str, said: FeatureExpectation) -> Iterator[Asked]:
    if said.not_null:
        yield column, "ExpectColumnValuesToNotBeNull", {}
    if said.between is not None:
        low, high = said.between
        yield column, "ExpectColumnValuesToBeBetween", {"min_value": low, "max_value": high}
    if said.allowed is not None:
        yield column, "ExpectColumnValuesToBeInSet", {"value_set": list(said.allowed)}


def _wanted(arguments: Mapping[str, Any]) -> str:
    if "value_set" in arguments:
        return "the value is not among those that are expected"
    if "min_value" in arguments:
        return f"the value is not between {arguments['min_value']} and {arguments['max_value']}"
    return "the value is null"


def _translated(column: str, tree: Condition) -> list[Asked] | None:
    """A condition as expectations that must all hold; None where there is none that says it."""
    if isinstance(tree, Compare):
        return [(column, *_compared(tree))]
    if isinstance(tree, Every):
        parts = [_translated(column, part) for part in tree.parts]
        return None if None in parts else [asked for part in parts if part is not None for asked in part]
    if isinstance(tree, Either) and all(isinstance(part, Compare) and part.op == "=" for part in tree.parts):
        constants = [_plain(part.constant) for part in tree.parts if isinstance(part, Compare)]
        return [(column, "ExpectColumnValuesToBeInSet", {"value_set": constants})]
    return None


def _compared(compare: Compare) -> tuple[str, dict[str, Any]]:
    constant = _plain(compare.constant)
    if compare.op in ("=", "!="):
        negated = "Not" if compare.op == "!=" else ""
        return f"ExpectColumnValuesTo{negated}BeInSet", {"value_set": [constant]}
    bound = "min" if compare.op.startswith(">") else "max"
    return "ExpectColumnValuesToBeBetween", {f"{bound}_value": constant, f"strict_{bound}": "=" not in compare.op}


def _plain(constant: Any) -> int | float:
    return constant if isinstance(constant, int) else float(constant)


def _holds(tree: Condition, value: float | None) -> bool | None:
    """Whether a measure meets a condition; None where it is unknown, which meets every expectation."""
    if isinstance(tree, IsNull):
        return (value is None) != tree.negated
    if value is None:
        return None
    if isinstance(tree, Negation):
        inner = _holds(tree.part, value)
        return None if inner is None else not inner
    if isinstance(tree, Every | Either):
        fold = all if isinstance(tree, Every) else any
        return fold(_holds(part, value) for part in tree.parts)
    constant = _plain(tree.constant)
    return {
        "=": value == constant,
        "!=": value != constant,
        "<": value < constant,
        "<=": value <= constant,
        ">": value > constant,
        ">=": value >= constant,
    }[tree.op]


def _unmet(frame: pa.Table, wanted: Sequence[Asked]) -> list[tuple[Asked, list[int]]]:
    """The expectations that are not met, each with the rows of the frame that break it."""
    columns = {column for column, _, _ in wanted}
    cells = frame.select([name for name in frame.column_names if name in columns]).to_pandas(integer_object_nulls=True)
    results = _validated(cells, wanted)
    raised = [column for (column, _, _), result in zip(wanted, results, strict=True) if "raised" in result]
    if raised:
        raise JobFailed("SEG-0611", f"the expectation of {raised[0]} could not be evaluated")
    unmet = zip(wanted, results, strict=True)
    return [(asked, result["unexpected_index_list"]) for asked, result in unmet if not result["success"]]


def _validated(cells: "pd.DataFrame", wanted: Sequence[Asked]) -> list[dict[str, Any]]:
    """One result for each expectation: `success`, `unexpected_index_list`; `raised` where it could not be evaluated."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of deprecated modules is not the user's business
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("staged").add_dataframe_asset("rows")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": cells})
        found = []
        for column, name, arguments in wanted:
            expectation = getattr(gx.expectations, name)(column=column, **arguments)
            result = batch.validate(expectation, result_format="COMPLETE")
            raised = {"raised": True} if result.exception_info.get("raised_exception") else {}
            indexes = result.result.get("unexpected_index_list") or []
            found.append({"success": result.success, "unexpected_index_list": list(indexes), **raised})
        return found
