"""What retention lets go: events before an instant, of each subject all but the first, and what was set aside before it."""

from runners.audits.rules import KEYS
from runners.warehouses.lake import Lake, instant, named
from schemas.kinds import EVENTS

_OWN = (*EVENTS.noun.SCHEMA.names, "run_id")
"""The columns of an event that are no properties."""

_GONE = """
CREATE OR REPLACE TEMP TABLE run_gone AS
SELECT $key, row_number() OVER (PARTITION BY subject ORDER BY occurred_at, event_id, source) = 1 AS is_mark
FROM events WHERE occurred_at < $before
"""

# The first event stays, as a mark that its subject is known (3.3), and says nothing else any more.
_MARKS = """
CREATE OR REPLACE TEMP TABLE run_marks AS
SELECT $own FROM events SEMI JOIN (FROM run_gone WHERE is_mark) USING ($key) WHERE $says
"""


def let_go(lake: Lake, gone_before_at: int) -> None:
    """Remove them, as a part of a commit that may be tried again."""
    key, own = (", ".join(map(named, names)) for names in (KEYS["events"], _OWN))
    says = " OR ".join(f"{named(name)} IS NOT NULL" for name in lake.columns("events") if name not in _OWN) or "false"
    before = instant(gone_before_at)
    lake.run(_GONE.replace("$key", key).replace("$before", before))
    lake.run(_MARKS.replace("$own", own).replace("$key", key).replace("$says", says))
    lake.delete("events", KEYS["events"], f"SELECT {key} FROM run_gone WHERE NOT is_mark UNION ALL SELECT {key} FROM run_marks")
    lake.insert("events", f"SELECT {own} FROM run_marks")
    lake.delete("quarantine", KEYS["quarantine"], f"SELECT source, position FROM quarantine WHERE received_at < {before}")
