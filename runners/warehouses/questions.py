"""What people ask of the tables first, each with a query that answers it: of the grocer, as of the first days of 2018."""

from typing import NamedTuple


class Question(NamedTuple):
    """A question in words, and in SQL."""

    words: str
    sql: str


QUESTIONS: tuple[Question, ...] = (
    Question(
        "Who is in a segment now, since when, and until when if nothing happens?",
        """
        SELECT subject, since, next_transition_at FROM segment_membership
        WHERE segment = 'regular_shoppers' ORDER BY since
        """,
    ),
    Question(
        "How many are in each? A segment without members has no row.",
        "SELECT segment, count(*) AS members FROM segment_members_now GROUP BY ALL ORDER BY ALL",
    ),
    Question(
        "How has a segment gone, day by day?",
        """
        SELECT day, members, entered, exited FROM segment_sizes
        WHERE segment = 'regular_shoppers' AND day >= DATE '2017-12-01' ORDER BY day
        """,
    ),
    Question(
        "Who was in it at an instant, as is known now?",
        """
        SELECT subject, valid_from, valid_to FROM segment_history
        WHERE segment = 'regular_shoppers' AND known_to IS NULL
          AND valid_from <= '2017-09-01' AND (valid_to IS NULL OR valid_to > '2017-09-01')
        """,
    ),
    Question(
        "And as was known then? `as_of(T, K)` tells what was published at K about T.",
        "SELECT subject, since FROM as_of('2017-09-01', '2017-09-02') WHERE segment = 'regular_shoppers'",
    ),
    Question(
        "What was said of that day, and was wrong?",
        """
        SELECT segment, subject, effective_at, until_at, member AS really, reason, known_at FROM segment_changes
        WHERE kind = 'corrected' AND effective_at <= '2017-09-01' AND until_at > '2017-09-01'
        """,
    ),
    Question(
        "Who came and went lately, and why?",
        """
        SELECT segment, kind, reason, count(*) AS times FROM segment_changes
        WHERE effective_at > '2017-12-01' GROUP BY ALL ORDER BY times DESC
        """,
    ),
    Question(
        "For how long did they stay, those who have left?",
        """
        SELECT segment, count(*) AS memberships, median(valid_to - valid_from) AS half_stay_as_long FROM segment_history
        WHERE known_to IS NULL AND valid_to IS NOT NULL GROUP BY segment ORDER BY segment
        """,
    ),
    Question(
        "Who leaves within a week, if nothing more comes?",
        """
        SELECT segment, subject, next_transition_at FROM segment_membership
        WHERE next_transition_at <= (SELECT max(t) FROM run_manifest) + INTERVAL 7 DAY ORDER BY next_transition_at
        """,
    ),
    Question(
        "How many would two letters reach twice?",
        """
        SELECT segment, other_segment, both_members, segment_members FROM segment_overlap
        WHERE segment < other_segment ORDER BY both_members DESC
        """,
    ),
    Question(
        "What are the features of the members now?",
        """
        SELECT m.segment, f.* EXCLUDE run_id FROM segment_members_now m JOIN (
          FROM feature_rows QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1
        ) f ON m.subject = f.subject
        """,
    ),
    Question(
        "And what were they at the instants of a list, with nothing of a later time? `segue features` computes them anew.",
        """
        WITH asked(subject, instant) AS (
          SELECT subject, valid_from FROM segment_history WHERE segment = 'lapsing' AND known_to IS NULL
        )
        SELECT asked.subject, instant, as_of, purchases__trips_90d, purchases__spend_90d
        FROM asked ASOF LEFT JOIN feature_rows f ON asked.subject = f.subject AND asked.instant >= f.as_of
        """,
    ),
    Question(
        "Of what the last run read, how many were refused, for what, and why? `segue explain` says it of one.",
        """
        SELECT purpose, reason, events, subjects FROM consent_verdicts
        WHERE run_id = (SELECT arg_max(run_id, k) FROM run_manifest) ORDER BY purpose, subjects DESC
        """,
    ),
    Question(
        "What was emitted before a refusal was known?",
        "SELECT segment, subject, emitted_at, wrong_since_at, learned_at FROM exposures ORDER BY learned_at",
    ),
    Question(
        "What was set aside, and why?",
        "SELECT source, reason, count(*) AS records, min(received_at), max(received_at) FROM quarantine GROUP BY ALL",
    ),
    Question(
        "How fresh are the answers, and what became of what was read?",
        "SELECT t, k, read, used, refused, unneeded, kept, late, duplicate, quarantined FROM run_manifest ORDER BY k DESC",
    ),
    Question(
        "What has one subject done?",
        """
        SELECT occurred_at, event, source, event_id FROM events
        WHERE subject = (SELECT min(subject) FROM events) ORDER BY occurred_at, event_id
        """,
    ),
    Question(
        "How do two versions of a definition differ, once both were in force? `segue diff` says why.",
        """
        SELECT version, count(DISTINCT subject) AS subjects, count(*) AS memberships, max(known_to) AS until
        FROM segment_history WHERE segment = 'regular_shoppers' GROUP BY version ORDER BY version
        """,
    ),
    Question(
        "And one that no run has put in force? `segue backfill` computes its past.",
        """
        SELECT b.segment, b.version, count(DISTINCT b.subject) AS then_in, count(DISTINCT m.subject) AS of_them_in_now
        FROM segment_backfilled b LEFT JOIN segment_members_now m ON b.segment = m.segment AND b.subject = m.subject
        WHERE b.valid_from <= '2017-12-31' AND b.valid_to > '2017-12-31' GROUP BY ALL
        """,
    ),
)
"""In the order in which they come up."""
