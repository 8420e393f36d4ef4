"""What retention lets go: events before an instant, but for each subject's marks, and what was set aside before it."""

from typing import NamedTuple

from runners.audits.rules import KEYS
from runners.publishing.record import BEGINNING_AT
from runners.runs.run_plan import RunPlan
from runners.warehouses.lake import Lake, instant, named
from runners.warehouses.published import LastRun
from schemas.kinds import EVENTS
from transforms.algebra.order import BEGINNING

_OWN = (*EVENTS.noun.SCHEMA.names, "run_id")
"""The columns of an event that are no properties."""

# The first event that was known at any K stays, as a mark that its subject is known (3.3), and says nothing else any more.
_GONE = """
CREATE OR REPLACE TEMP TABLE run_gone AS
SELECT $own, $says AS says, received_at < coalesce(min(received_at) OVER before, TIMESTAMPTZ 'infinity') AS is_mark
FROM events WHERE occurred_at < $before
WINDOW before AS (
  PARTITION BY subject ORDER BY occurred_at, event_id, source ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
)
"""

# What is unreadable may not tell when it was received: the run that set it aside began later.
_ASIDE = """
SELECT source, position FROM quarantine LEFT JOIN (SELECT run_id, started_at FROM run_manifest) USING (run_id)
WHERE coalesce(received_at, started_at) < $before
"""


def goes_any(lake: Lake, parent: LastRun, gone_before_at: int) -> bool:
    """Whether anything is there that goes, and did not with the last run."""
    if gone_before_at <= parent.gone_before_at:
        return False
    aside = _ASIDE.replace("$before", instant(gone_before_at))
    return bool(lake.value(f"SELECT EXISTS ({_going(parent, gone_before_at)}) OR EXISTS ({aside})"))


def count_that_go(lake: Lake, parent: LastRun, gone_before_at: int) -> int:
    """How many events are there that go, and did not with the last run; those that stay as marks included."""
    if gone_before_at <= parent.gone_before_at:
        return 0
    return int(lake.value(f"SELECT count(*) FROM ({_going(parent, gone_before_at)})"))


def _going(parent: LastRun, gone_before_at: int) -> str:
    since = instant(max(parent.gone_before_at, BEGINNING_AT))
    return f"FROM events WHERE occurred_at >= {since} AND occurred_at < {instant(gone_before_at)}"


class Gone(NamedTuple):
    """What the manifest says of it. Instants are int64 microseconds UTC.

    Attributes:
      before_at: events before it that the warehouse had are gone.
      horizon_at: from when on this run computed answers.
      went: how many events went with it.
      leaves_some: the next run has more to let go: what this one has read, or what states hold still.
    """

    before_at: int = BEGINNING
    horizon_at: int = BEGINNING
    went: int = 0
    leaves_some: bool = False


def let_go(lake: Lake, plan: RunPlan, parent: LastRun | None, reads: bool) -> Gone:
    """Remove what was there before a run where there may be more than with the last one: the first part of its commit.

    `reads` says whether the run has read any events.
    """
    before, goes_at = BEGINNING if parent is None else parent.gone_before_at, plan.gone_before_at
    went = _removed(lake, goes_at) if parent is not None and (parent.leaves_some or goes_at > before) else 0
    leaves_some = goes_at > before or (reads and goes_at > BEGINNING and _has_read(lake, goes_at))
    return Gone(goes_at, plan.horizon_at, went, leaves_some)


def _has_read(lake: Lake, gone_before_at: int) -> bool:
    return bool(lake.value(f"SELECT EXISTS (FROM staged_events WHERE occurred_at < {instant(gone_before_at)})"))


def _removed(lake: Lake, gone_before_at: int) -> int:
    """How many events went; it may be tried again."""
    own, before = ", ".join(map(named, _OWN)), instant(gone_before_at)
    says = " OR ".join(f"{named(name)} IS NOT NULL" for name in lake.columns("events") if name not in _OWN) or "false"
    lake.run(_GONE.replace("$own", own).replace("$says", f"({says})").replace("$before", before))
    lake.delete("events", KEYS["events"], "FROM run_gone WHERE says OR NOT is_mark")
    lake.insert("events", f"SELECT {own} FROM run_gone WHERE says AND is_mark")
    lake.delete("quarantine", KEYS["quarantine"], _ASIDE.replace("$before", before))
    return int(lake.value("SELECT count(*) FROM run_gone WHERE NOT is_mark"))
