"""The end of a run that went well: it is told, and then the warehouse is tidied if it is time."""

from runners.publishing.tidying import tidy_daily
from runners.runs.report import tell
from runners.runs.results import Results
from runners.runs.running import Outcome
from runners.terminal.session import Session
from runners.warehouses.lake import Lake


def end(session: Session, lake: Lake, results: Results, outcome: Outcome) -> None:
    """Say what became of the run; what comes after that changes nothing of it."""
    results.end(outcome.published, outcome.t_at, outcome.remade)
    tell(session, lake, results, outcome)
    tidy_daily(lake, lambda text: session.note(f"note: {text}"))
