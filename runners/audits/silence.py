"""The gate before publishing: a source of consents that is silent for too long stops the run."""

from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import Lake, quoted
from schemas.errors import GateClosed

HOUR = 3_600_000_000


def see_that_consents_speak(lake: Lake, plan: RunPlan) -> None:
    """Compare the newest receipt of each source that has a budget of silence with K.

    Errors: GateClosed (4) where one has been silent for longer, or has never said anything.
    """
    for source, budget in plan.silence_budgets.items():
        newest = _newest_receipt(lake, plan, source)
        if newest is None:
            raise GateClosed("SEG-0614", f"the consents of `{source}` have never said anything: nothing was published", _HINT)
        if plan.known_at - newest > budget:
            told = f"{(plan.known_at - newest) / HOUR:,.1f} h, and {budget / HOUR:,.1f} h are allowed"
            raise GateClosed("SEG-0614", f"the consents of `{source}` are silent for {told}: nothing was published", _HINT)


_HINT = "see that the source delivers, then run again; use that it has not heard of can not be ruled out"


def _newest_receipt(lake: Lake, plan: RunPlan, source: str) -> int | None:
    tables = ("staged_consents",) if plan.full_refresh else ("consents", "staged_consents")
    rows = " UNION ALL ".join(f"SELECT received_at FROM {table} WHERE source = {quoted(source)}" for table in tables)
    found = lake.value(f"SELECT max(epoch_us(received_at)) FROM ({rows})")
    return None if found is None else int(found)
