"""Hold what is staged against what the user expects of it, by Great Expectations over small frames."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from runners.expecting_features import features_met
from runners.finding import Checked, Finding
from runners.run_plan import RunPlan
from runners.validating import Asked, holds, translated, unmet
from runners.warehouses.lake import Lake, quoted
from schemas.definitions.comparison import Comparison
from schemas.definitions.condition import Compare
from schemas.definitions.lineage import Item
from schemas.kinds import KINDS

_DAY_US = 86_400_000_000


def met(lake: Lake, plan: RunPlan) -> list[Checked]:
    """The user's expectations of the staged run, each with what it is and what it should be."""
    if not plan.expectations:
        return []
    return [*_measures(lake, plan), *features_met(lake, plan.expectations.features)]


def _measures(lake: Lake, plan: RunPlan) -> Iterator[Checked]:
    """Of segments and sources: each measure is a column of one row."""
    asked = {**_segments_asked(plan), **_sources_asked(plan)}
    if not asked:
        return
    values = {**_segment_values(lake, plan), **_source_values(lake, plan)}
    broken = _unmet_measures({label: comparison for label, (_, comparison) in asked.items()}, values)
    for label, (item, comparison) in asked.items():
        figure = _shown(values.get(label), comparison.percent)
        why = f"it is {figure}, expected {comparison.text}"
        finding = Finding(label, 1, why, concerns=item) if label in broken else None
        yield Checked(label, figure, comparison.text, finding)


def _unmet_measures(asked: Mapping[str, Comparison], values: Mapping[str, Any]) -> set[str]:
    """The measures that are not what is expected of them."""
    row: dict[str, Any] = {label: values.get(label) for label in asked}
    wanted: list[Asked] = []
    for label, comparison in asked.items():
        direct = translated(label, comparison.tree)
        if direct is None:  # no single expectation says this: its answer is the column
            row[label] = holds(comparison.tree, values.get(label))
            direct = [(label, "ExpectColumnValuesToBeInSet", {"value_set": [True]})]
        wanted += direct
    frame = pa.table({label: pa.array([value]) for label, value in row.items()})
    return {label for (label, _, _), rows in unmet(frame, wanted) if rows is not None}


def _shown(value: Any, in_percent: bool) -> str:
    if value is None:
        return "unknown"
    if in_percent:
        return f"{100 * value:.6g}%"
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
