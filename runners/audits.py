"""The audit of a staged run: nothing is published that breaks a rule of the warehouse or of the user."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from runners.expecting import broken_expectations
from runners.finding import Finding, fail, place
from runners.rules import Check, checks
from runners.run_plan import RunPlan
from runners.staging import Staged, Staging
from runners.warehouses.lake import Lake


def audit(lake: Lake, plan: RunPlan, staged: Staging, horizon_at: int | None) -> None:
    """Check all that is staged. Raises AuditFailed with every broken rule, its rows and why."""
    fail(findings(lake, _due(checks(plan, horizon_at), staged)))
    fail(broken_expectations(lake, plan))


def _due(rules: Sequence[Check], staged: Staging) -> list[Check]:
    """The rules that anything staged could break: where a table is empty, none that is about its rows."""
    return [rule for rule in rules if rule.over not in staged.tables or staged.tables[rule.over].files]


def check_schemas(staged: Staging) -> None:
    """See that every staged file has exactly the columns of its table. Raises AuditFailed."""
    fail([finding for table in staged.tables.values() for finding in _other_schemas(table)])


def _other_schemas(table: Staged) -> Iterator[Finding]:
    for path in table.files:
        try:
            found = pq.read_schema(path)
        except (pa.ArrowInvalid, OSError):
            yield Finding(
                f"{table.name}: files", 1, "the file is no Parquet file, or cut short", (place(str(path), None),)
            )
            continue
        differs = _difference(table.schema, found)
        if differs:
            yield Finding(f"{table.name}: columns", 1, differs, (place(str(path), None),))


def _difference(wanted: pa.Schema, found: pa.Schema) -> str:
    """What is different between two schemas, names, order and types; '' for nothing."""
    if wanted.names != found.names:
        return f"columns are {', '.join(found.names)}, not {', '.join(wanted.names)}"
    pairs = zip(wanted, found, strict=True)
    return ", ".join(f"`{a.name}` is {b.type}, not {a.type}" for a, b in pairs if a.type != b.type)


def findings(lake: Lake, rules: Sequence[Check]) -> list[Finding]:
    """The rules that are broken: those that a scan of many at once makes doubtful are looked at, row by row."""
    kept = _kept(lake, rules)
    return [finding for rule in rules if rule.name not in kept and (finding := _finding(lake, rule))]


def _kept(lake: Lake, rules: Sequence[Check]) -> set[str]:
    """The names of the rules that one scan of each relation shows to be kept."""
    kept: set[str] = set()
    screened = [rule for rule in rules if rule.screen]
    for over in dict.fromkeys(rule.over for rule in screened):
        together = [rule for rule in screened if rule.over == over]
        relation = over if over.startswith("(") else f"staged_{over}"
        counts = lake.rows(f"SELECT {', '.join(rule.screen for rule in together)} FROM {relation}")[0]
        kept |= {rule.name for rule, count in zip(together, counts, strict=True) if count == 0}
    return kept


def _finding(lake: Lake, rule: Check) -> Finding | None:
    count, first = lake.rows(
        f"SELECT count(*), (list({{'file': _file, 'row': _row}} ORDER BY _file, _row))[:3] FROM ({rule.sql})"
    )[0]
    if not count:
        return None
    places = tuple(place(one["file"], one["row"]) for one in first if one["file"])
    return Finding(rule.name, count, rule.why, places)
