"""The audit of a staged run: nothing is published that breaks a rule of the warehouse or of the user."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from runners.audits.expecting import met
from runners.audits.finding import Checked, Finding, passed, place
from runners.audits.placed import placed
from runners.audits.rules import Check, checks
from runners.publishing.staging import Staged, Staging
from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import Lake


def audit(lake: Lake, plan: RunPlan, staged: Staging, horizon_at: int | None) -> tuple[Checked, ...]:
    """Check all that is staged; gives what each check saw. Raises AuditFailed with every broken rule, its rows and why.

    What the user expects is looked at where no rule of the warehouse is broken.
    """
    kept = passed(look(lake, checks(plan, horizon_at), staged))
    return passed((*kept, *met(lake, plan)))


def check_schemas(staged: Staging) -> None:
    """See that every staged file has exactly the columns of its table. Raises AuditFailed."""
    passed([found for table in staged.tables.values() for found in _other_schemas(table)])


def _other_schemas(table: Staged) -> Iterator[Checked]:
    for path in table.files:
        try:
            found = pq.read_schema(path)
        except (pa.ArrowInvalid, OSError):
            yield _unlike(f"{table.name}: files", "the file is no Parquet file, or cut short", path)
            continue
        differs = _difference(table.schema, found)
        if differs:
            yield _unlike(f"{table.name}: columns", differs, path)


def _unlike(check: str, why: str, path: Path) -> Checked:
    return Checked(check, "1 file", "0 files", Finding(check, 1, why, (place(str(path), None),)))


def _difference(wanted: pa.Schema, found: pa.Schema) -> str:
    """What is different between two schemas, names, order and types; '' for nothing."""
    if wanted.names != found.names:
        return f"columns are {', '.join(found.names)}, not {', '.join(wanted.names)}"
    pairs = zip(wanted, found, strict=True)
    return ", ".join(f"`{a.name}` is {b.type}, not {a.type}" for a, b in pairs if a.type != b.type)


def look(lake: Lake, rules: Sequence[Check], staged: Staging) -> list[Checked]:
    """What each rule sees: those that a scan of many at once makes doubtful are looked at, row by row."""
    due = [rule for rule in rules if _is_due(rule, staged)]
    kept = _kept(lake, due) | {rule.name for rule in rules if not _is_due(rule, staged)}
    return [_holds(rule) if rule.name in kept else _seen(lake, rule) for rule in rules]


def _is_due(rule: Check, staged: Staging) -> bool:
    """Whether anything staged could break it: where a table is empty, no rule that is about its rows."""
    return rule.over not in staged.tables or bool(staged.tables[rule.over].files)


def _holds(rule: Check) -> Checked:
    return Checked(rule.name, "0 rows", "0 rows", sql=rule.sql)


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


def _seen(lake: Lake, rule: Check) -> Checked:
    count, places = placed(lake, rule.sql)
    if not count:
        return _holds(rule)
    return _holds(rule)._replace(figure=f"{count:,} rows", finding=Finding(rule.name, count, rule.why, places))
