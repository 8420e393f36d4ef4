"""Sessions: what a subject did without a long silence."""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

TABLE = "sessions"
COMMENT = (
    "The sessions of each subject at the last published T, for every gap and purpose that a session window of a segment or a "
    "feature asks for: runs of the events that count at T, of any name, with silences of at most the gap."
)
SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("subject", pa.string()),
        ("started_at", INSTANT),
        ("ended_at", INSTANT),
        ("events", pa.int64()),
        ("entry", pa.string()),
        ("exit", pa.string()),
        ("channel", pa.string()),
        ("converted", pa.bool_()),
        ("purpose", pa.string()),
        ("gap", pa.string()),
        ("run_id", pa.string()),
    ]
)
COMMENTS = {
    "session_id": "hash of the subject, the purposes, the gap and the first event",
    "subject": "whose session",
    "started_at": "instant of the first event",
    "ended_at": "the gap after the last event: from then on another event begins another session; after T, it may go on",
    "events": "how many events",
    "entry": "name of the first event",
    "exit": "name of the last event",
    "channel": "property `channel` of the first event; null where it has none, or no source declares one as text",
    "converted": "whether an event that a window of these sessions looks for is among them",
    "purpose": "the purposes for which the events count, joined by +",
    "gap": "the longest silence within a session",
    "run_id": "the run that wrote the row; of a session that stays as it is, an earlier one",
}
STAGED = pa.schema(
    [
        *(column for column in SCHEMA if column.name not in ("session_id", "run_id")),
        *((name, pa.string()) for name in ("first_source", "first_subject", "first_event_id")),
    ]
)
"""How a session is staged: publishing makes its id of its first event, which the subject or an id merged into it collected."""
VISITORS = pa.schema([*(SCHEMA.field(name) for name in ("subject", "purpose", "gap")), ("told_from_at", INSTANT)])
"""Whose sessions are told anew: those that end after `told_from_at`, all of them where it is null."""
