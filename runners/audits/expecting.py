"""Hold what is staged against what the user expects of it, by Great Expectations over small frames."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from runners.audits.expecting_features import features_met
from runners.audits.expecting_sources import measures_of_sources
from runners.audits.finding import Checked, Finding, Measure
from runners.audits.placed import placed
from runners.audits.validating import Asked, holds, translated, unmet
from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import Lake
from schemas.definitions.lineage import Item


def met(lake: Lake, plan: RunPlan) -> list[Checked]:
    """The user's expectations of the staged run, each with what it is and what it should be."""
    if not plan.expectations:
        return []
    return [*_measures(lake, plan), *features_met(lake, plan.expectations.features)]


def _measures(lake: Lake, plan: RunPlan) -> Iterator[Checked]:
    """Of segments and sources: each measure is a column of one row."""
    found = [*_of_segments(lake, plan), *measures_of_sources(lake, plan)]
    broken = _broken(found) if found else set()
    for one in found:
        figure = _shown(one.value, one.expected.percent)
        finding = _finding(lake, one, figure) if one.label in broken else None
        yield Checked(one.label, figure, one.expected.text, finding, one.sql)


def _broken(measures: Sequence[Measure]) -> set[str]:
    """The measures that are not what is expected of them."""
    row: dict[str, Any] = {one.label: one.value for one in measures}
    wanted: list[Asked] = []
    for one in measures:
        direct = translated(one.label, one.expected.tree)
        if direct is None:  # no single expectation says this: its answer is the column
            row[one.label] = holds(one.expected.tree, one.value)
            direct = [(one.label, "ExpectColumnValuesToBeInSet", {"value_set": [True]})]
        wanted += direct
    frame = pa.table({label: pa.array([value]) for label, value in row.items()})
    return {label for (label, _, _), rows in unmet(frame, wanted) if rows is not None}


def _finding(lake: Lake, one: Measure, figure: str) -> Finding:
    count, places = placed(lake, one.sql) if one.sql else (1, ())
    return Finding(one.label, count, f"it is {figure}, expected {one.expected.text}", places, one.item)


def _shown(value: Any, in_percent: bool) -> str:
    if value is None:
        return "unknown"
    if in_percent:
        return f"{100 * value:.6g}%"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


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


def _of_segments(lake: Lake, plan: RunPlan) -> Iterator[Measure]:
    """Size and share of segments as they would be published, and their change against what is published now."""
    said = plan.expectations.segments
    sizes = {name: (size, before) for name, size, before in lake.rows(_SIZES)} if said else {}
    known = _known_subjects(lake) if any("share" in by for by in said.values()) else 0
    for name, by in said.items():
        size, before = sizes[name]
        population = plan.expectations.populations.get(name, "")
        among = sizes[population][0] if population in sizes else known
        values = {
            "size": size,
            "share": size / among if among else None,
            "change": (size - before) / before if before else None,
        }
        for measure, one in by.items():
            yield Measure(f"segment `{name}`: {measure}", Item("segments", name), one, values[measure])


def _known_subjects(lake: Lake) -> int:
    """How many subjects are known at T: each purpose has a verdict for every one."""
    return int(lake.value("SELECT coalesce(max(n), 0) FROM (SELECT sum(subjects) AS n FROM staged_verdicts GROUP BY purpose)"))
