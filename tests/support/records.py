"""What a warehouse recorded, run by run: the history as it was published, read from the transitions themselves."""

from pathlib import Path
from typing import NamedTuple

from tests.support.command_line import asked
from tests.support.histories import History


class Run(NamedTuple):
    """T and K of a published run, int64 microseconds."""

    t_at: int
    known_at: int


def runs(root: Path) -> list[Run]:
    """The published runs, oldest first."""
    rows = asked(root, "SELECT epoch_us(t) AS t, epoch_us(k) AS k FROM run_manifest ORDER BY k")
    return [Run(row["t"], row["k"]) for row in rows]


def recorded(root: Path, known_at: int) -> History:
    """The intervals that stood in the record at K; the end of one that was open then is None."""
    rows = asked(
        root,
        'SELECT segment, subject, member, epoch_us("at") AS instant FROM segment_transitions '
        f"WHERE epoch_us(known_from) <= {known_at} AND (known_to IS NULL OR epoch_us(known_to) > {known_at})",
    )
    history: History = {}
    for row in sorted(rows, key=lambda row: row["instant"]):
        intervals = history.setdefault((row["segment"], row["subject"]), [])
        if row["member"]:
            intervals.append((row["instant"], None))
        else:
            intervals[-1] = (intervals[-1][0], row["instant"])
    return history


def cut(intervals: list[tuple[int, int | None]], t_at: int) -> list[tuple[int, int | None]]:
    """The part of a history up to T."""
    return [(start, end if end is not None and end <= t_at else None) for start, end in intervals if start <= t_at]
