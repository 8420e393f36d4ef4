"""What retention lets go: events before an instant, of each subject all but the first, and what was set aside before it."""

from runners.audits.rules import KEYS
from runners.publishing.record import BEGINNING_AT
from runners.warehouses.lake import Lake, instant, named
from schemas.kinds import EVENTS

_OWN = (*EVENTS.noun.SCHEMA.names, "run_id")
"""The columns of an event that are no properties."""

# The first event stays, as a mark that its subject is known (3.3), and says nothing else any more.
_GONE = """
CREATE OR REPLACE TEMP TABLE run_gone AS
SELECT $own, row_number() OVER (PARTITION BY subject ORDER BY occurred_at, event_id, source) = 1 AS is_mark, $says AS says
FROM events WHERE occurred_at < $before
"""

# What is unreadable may not tell when it was received: the run that set it aside began later.
_ASIDE = """
SELECT source, position FROM quarantine LEFT JOIN (SELECT run_id, started_at FROM run_manifest) USING (run_id)
WHERE coalesce(received_at, started_at) < $before
"""


def goes_any(lake: Lake, since_at: int, gone_before_at: int) -> bool:
    """Whether anything is there that goes by the one instant and did not by the other."""
    since, before = instant(max(since_at, BEGINNING_AT)), instant(gone_before_at)
    events = f"FROM events WHERE occurred_at >= {since} AND occurred_at < {before}"
    return bool(lake.value(f"SELECT EXISTS ({events}) OR EXISTS ({_ASIDE.replace('$before', before)})"))


def let_go(lake: Lake, gone_before_at: int) -> None:
    """Remove them, as a part of a commit that may be tried again."""
    own, before = ", ".join(map(named, _OWN)), instant(gone_before_at)
    says = " OR ".join(f"{named(name)} IS NOT NULL" for name in lake.columns("events") if name not in _OWN) or "false"
    lake.run(_GONE.replace("$own", own).replace("$says", f"({says})").replace("$before", before))
    lake.delete("events", KEYS["events"], "FROM run_gone WHERE says OR NOT is_mark")
    lake.insert("events", f"SELECT {own} FROM run_gone WHERE says AND is_mark")
    lake.delete("quarantine", KEYS["quarantine"], _ASIDE.replace("$before", before))
