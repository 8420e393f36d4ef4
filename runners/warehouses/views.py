"""The public views: what people and programs ask first, over tables that only grow."""

from typing import NamedTuple


class View(NamedTuple):
    """A view of the warehouse. Its columns can carry no comment of their own, so they are explained in the view's."""

    name: str
    sql: str
    comment: str
    columns: dict[str, str]

    @property
    def text(self) -> str:
        """The comment with a line for each column."""
        return "\n".join([self.comment, *(f"{name}: {meaning}" for name, meaning in self.columns.items())])


HISTORY = """
SELECT segment, version, subject, "at" AS valid_from, valid_to, purpose, known_from, known_to, run_id
FROM (
  SELECT *, lead("at") OVER (PARTITION BY segment, version, subject, known_to ORDER BY "at") AS valid_to
  FROM segment_transitions
)
WHERE member
"""

_MEMBERSHIP = """
SELECT h.segment, h.subject, h.version, h.valid_from AS since, u.next_transition_at, h.purpose
FROM segment_history h
LEFT JOIN segment_upcoming u ON u.segment = h.segment AND u.version = h.version AND u.subject = h.subject
WHERE h.known_to IS NULL AND h.valid_to IS NULL
"""

_MEMBERS_NOW = """
SELECT segment, subject, since, next_transition_at FROM segment_membership
"""

_SIZES = """
WITH moves AS (
  SELECT segment, version, CAST(timezone('UTC', "at") AS DATE) AS day,
         count(*) FILTER (member) AS entered, count(*) FILTER (NOT member) AS exited
  FROM segment_transitions WHERE known_to IS NULL GROUP BY ALL
), last_run AS (
  SELECT CAST(timezone('UTC', arg_max(t, k)) AS DATE) AS day FROM run_manifest
), spans AS (
  SELECT v.segment, v.version, coalesce(min(m.day), any_value(r.day)) AS first_day, any_value(r.day) AS last_day
  FROM segment_versions v CROSS JOIN last_run r
  LEFT JOIN moves m ON m.segment = v.segment AND m.version = v.version
  WHERE v.current GROUP BY v.segment, v.version
), days AS (
  SELECT segment, version,
         CAST(unnest(generate_series(first_day, greatest(first_day, last_day), INTERVAL 1 DAY)) AS DATE) AS day
  FROM spans
)
SELECT d.day, d.segment, d.version,
       CAST(sum(coalesce(m.entered, 0) - coalesce(m.exited, 0))
            OVER (PARTITION BY d.segment, d.version ORDER BY d.day) AS BIGINT) AS members,
       coalesce(m.entered, 0) AS entered, coalesce(m.exited, 0) AS exited
FROM days d
LEFT JOIN moves m ON m.segment = d.segment AND m.version = d.version AND m.day = d.day
"""

_OVERLAP = """
WITH sizes AS (SELECT segment, count(*) AS members FROM segment_membership GROUP BY segment),
pairs AS (
  SELECT a.segment, b.segment AS other_segment, count(*) AS both_members
  FROM segment_membership a JOIN segment_membership b ON a.subject = b.subject AND a.segment <> b.segment
  GROUP BY a.segment, b.segment
)
SELECT p.segment, p.other_segment, p.both_members, s.members AS segment_members, o.members AS other_members
FROM pairs p JOIN sizes s ON s.segment = p.segment JOIN sizes o ON o.segment = p.other_segment
"""

# Pieces that touch are one membership: an interval's end is no end of it.
_BACKFILLED = """
SELECT segment, version, subject, min(valid_from) AS valid_from, max(valid_to) AS valid_to, purpose
FROM (
  SELECT *, sum(CASE WHEN touches THEN 0 ELSE 1 END) OVER (PARTITION BY segment, version, subject ORDER BY valid_from) AS number
  FROM (
    SELECT *, valid_from = lag(valid_to) OVER (PARTITION BY segment, version, subject ORDER BY valid_from) AS touches
    FROM backfill_pieces
  )
)
GROUP BY segment, version, subject, purpose, number
"""

MEMBERS_AS_OF = """
SELECT segment, version, subject, max("at") AS since, arg_max(purpose, "at") AS purpose
FROM segment_transitions
WHERE "at" <= CAST(t AS TIMESTAMPTZ) AND known_from <= CAST(k AS TIMESTAMPTZ)
  AND (known_to IS NULL OR known_to > CAST(k AS TIMESTAMPTZ))
GROUP BY segment, version, subject HAVING arg_max(member, "at")
"""
"""as_of(t, k): the members at T by what was published at K. Names are looked up where it is called: say `USE` before."""

VIEWS: tuple[View, ...] = (
    View(
        "segment_history",
        HISTORY,
        "Who was in which segment, as half-open intervals. The current record is where known_to is null.",
        {
            "segment": "name of the segment",
            "version": "number of the segment's meaning; it rises when the definition changes",
            "subject": "the member",
            "valid_from": "instant of entering, inclusive",
            "valid_to": "instant of leaving, exclusive; null while still a member at the last published T",
            "purpose": "purposes that the segment may serve, joined by +",
            "known_from": "K of the run that published this interval",
            "known_to": "K of the run that withdrew it; null while it stands",
            "run_id": "run that published its beginning",
        },
    ),
    View(
        "segment_membership",
        _MEMBERSHIP,
        "The members of every segment at the last published T.",
        {
            "segment": "name of the segment",
            "subject": "the member",
            "version": "number of the segment's meaning",
            "since": "instant since which it has been a member without a break",
            "next_transition_at": "next instant at which the answer flips if nothing more arrives; null if never",
            "purpose": "purposes that the segment may serve, joined by +",
        },
    ),
    View(
        "segment_members_now",
        _MEMBERS_NOW,
        "The members of every segment at the last published T, in short.",
        {
            "segment": "name of the segment",
            "subject": "the member",
            "since": "instant since which it has been a member without a break",
            "next_transition_at": "next instant at which the answer flips if nothing more arrives; null if never",
        },
    ),
    View(
        "segment_sizes",
        _SIZES,
        "How many members each segment had at the end of each UTC day, by the current record; the last day ends at T.",
        {
            "day": "the day, in UTC",
            "segment": "name of the segment",
            "version": "number of the segment's meaning",
            "members": "members at the end of the day",
            "entered": "times that a subject entered on this day",
            "exited": "times that a subject left on this day",
        },
    ),
    View(
        "segment_overlap",
        _OVERLAP,
        "How many members two segments share at the last published T; pairs that share none are left out.",
        {
            "segment": "name of one segment",
            "other_segment": "name of the other; each pair is there both ways",
            "both_members": "members of both",
            "segment_members": "members of the one",
            "other_members": "members of the other",
        },
    ),
    View(
        "segment_backfilled",
        _BACKFILLED,
        "Who would have been in which segment: what `segue backfill` computed of versions that no run has put in force yet.",
        {
            "segment": "name of the segment",
            "version": "the number that its meaning will have",
            "subject": "the member",
            "valid_from": "instant of entering, inclusive; where what was computed begins, if it was a member by then",
            "valid_to": "instant of leaving, exclusive; where what was computed ends, if it was a member until then",
            "purpose": "purposes that the segment may serve, joined by +",
        },
    ),
)
"""In the order in which they build on one another."""
