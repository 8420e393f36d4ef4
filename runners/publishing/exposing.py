"""Find what was emitted before a restriction was known, while the membership that it takes back still stands in the record."""

from runners.warehouses.lake import Lake
from runners.warehouses.views import HISTORY

# The workers tell of the restrictions that they have heard of; where a version ends here, or sources were read once more, the
# ledger does.
_WRONG = """
CREATE OR REPLACE TEMP TABLE run_wrong AS
WITH corrected AS (
  SELECT segment, version, subject, effective_at, until_at FROM run_changes WHERE kind = 'corrected' AND NOT member
)
SELECT c.*, e.wrong_since_at FROM corrected c JOIN staged_exposed e USING (segment, version, subject, effective_at)
UNION ALL
SELECT c.*, greatest(effective_at, since_at) FROM corrected c JOIN run_restricted r USING (segment, version, subject)
WHERE since_at < until_at AND ($again OR (segment, version) NOT IN (SELECT (segment, version) FROM run_versions))
"""

_OF_THEM = "(FROM segment_transitions SEMI JOIN run_wrong USING (segment, version, subject))"

# It was emitted by the first run that said so of an instant at which it was wrong. No history but theirs is put in order.
_EMITTED = f"""
WITH history AS ({HISTORY.replace("segment_transitions", _OF_THEM)})
SELECT segment, version, subject, effective_at, wrong_since_at, min(m.k) AS emitted_at
FROM run_wrong w JOIN history h USING (segment, version, subject)
JOIN run_manifest m ON m.t >= wrong_since_at AND h.known_from <= m.k AND (h.known_to IS NULL OR h.known_to > m.k)
WHERE h.valid_from <= wrong_since_at AND (h.valid_to IS NULL OR h.valid_to > wrong_since_at)
GROUP BY ALL
"""


def find_exposed(lake: Lake, *, again: bool) -> str:
    """A query of the memberships that restrictions take back, and who emitted them first; '' where none does.

    Read before anything is closed. `again`: sources were read once more, so that workers can not tell what is new.
    """
    lake.run(_WRONG.replace("$again", str(again)))
    return _EMITTED if lake.value("SELECT EXISTS (FROM run_wrong)") else ""
