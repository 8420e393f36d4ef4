"""Every table of the warehouse: columns, comments, partitions."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

import pyarrow as pa

from schemas import (
    backfill,
    backfill_interval,
    backfill_piece,
    change,
    feature_row,
    kernel_state,
    lifecycle,
    rejection,
    run,
    session,
    transition,
    verdict,
)
from schemas.kinds import KINDS

INSTANT = pa.timestamp("us", tz="UTC")
RUN_ID = pa.field("run_id", pa.string())
_RUN_COMMENT = "the run that wrote this row"
_INTERNAL = "Internal, may change in any version."


@dataclass(frozen=True)
class Table:
    """A table: its columns, what they mean, and what it is partitioned by ('' for nothing)."""

    name: str
    schema: pa.Schema
    comment: str
    comments: Mapping[str, str]
    partition: str = ""


def _of(module: ModuleType, partition: str = "") -> Table:
    """The table of a noun; every row also says which run wrote it."""
    schema: pa.Schema = module.SCHEMA
    if "run_id" not in schema.names:
        schema = schema.append(RUN_ID)
    return Table(module.TABLE, schema, module.COMMENT, {"run_id": _RUN_COMMENT, **module.COMMENTS}, partition)


EXPOSURES = Table(
    "exposures",
    pa.schema(
        [
            ("change_id", pa.string()),
            ("segment", pa.string()),
            ("version", pa.int32()),
            ("subject", pa.string()),
            ("emitted_at", INSTANT),
            ("wrong_since_at", INSTANT),
            ("learned_at", INSTANT),
            RUN_ID,
        ]
    ),
    "What was emitted before a restriction was known.",
    {
        "change_id": "the correction in segment_changes",
        "segment": "name of the segment",
        "version": "number of the segment's meaning",
        "subject": "whose membership was emitted",
        "emitted_at": "K of the run that published the membership",
        "wrong_since_at": "instant from which it was wrong",
        "learned_at": "K of the run that learned of the restriction",
        "run_id": "the run that learned of it",
    },
)
RUN_COMMITS = Table(
    "run_commits",
    pa.schema([RUN_ID, ("parent_run_id", pa.string()), ("committed_at", INSTANT)]),
    f"{_INTERNAL} One row a commit: a run whose id is here is published, and is not published again.",
    {
        "run_id": "the run",
        "parent_run_id": "the run that it builds on; null for the first",
        "committed_at": "when it was committed, by the clock",
    },
)
UPCOMING = Table(
    "segment_upcoming",
    pa.schema(
        [
            ("segment", pa.string()),
            ("version", pa.int32()),
            ("subject", pa.string()),
            ("next_transition_at", INSTANT),
            RUN_ID,
        ]
    ),
    f"{_INTERNAL} The next instant after T at which a subject's answer flips if nothing more arrives: see segment_membership.",
    {
        "segment": "name of the segment",
        "version": "number of the segment's meaning",
        "subject": "the subject",
        "next_transition_at": "the instant, as of the run that last wrote it",
        "run_id": _RUN_COMMENT,
    },
)
VERSIONS = Table(
    "segment_versions",
    pa.schema(
        [
            ("segment", pa.string()),
            ("version", pa.int32()),
            ("meaning", pa.string()),
            ("from_run", pa.string()),
            ("current", pa.bool_()),
        ]
    ),
    f"{_INTERNAL} The numbers that the meanings of each segment were given.",
    {
        "segment": "name of the segment",
        "version": "number of the meaning; it rises when the meaning changes, and is never used again",
        "meaning": "hash of the definition with all below it",
        "from_run": "the run that first published it",
        "current": "whether it is the version in force",
    },
)
FACTS = {name: _of(kind.noun) for name, kind in KINDS.items()}
TRANSITIONS, CHANGES, QUARANTINE = _of(transition), _of(change), _of(rejection)
FEATURE_ROWS = _of(feature_row, partition="year(as_of), month(as_of), day(as_of)")
SESSIONS, LIFECYCLES, VERDICTS, MANIFEST, STATES = _of(session), _of(lifecycle), _of(verdict), _of(run), _of(kernel_state)
BACKFILLS, BACKFILL_INTERVALS, BACKFILL_PIECES = _of(backfill), _of(backfill_interval), _of(backfill_piece)

TABLES: tuple[Table, ...] = (
    *(*FACTS.values(), QUARANTINE),
    *(TRANSITIONS, CHANGES, UPCOMING, VERSIONS, FEATURE_ROWS),
    *(SESSIONS, LIFECYCLES, VERDICTS, EXPOSURES, MANIFEST, RUN_COMMITS, STATES),
    *(BACKFILLS, BACKFILL_INTERVALS, BACKFILL_PIECES),
)
