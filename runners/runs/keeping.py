"""What retention removes: up to when events go with a run, and from when on answers can be computed because of that."""

from typing import TypedDict

from runners.warehouses.lake import Lake
from runners.warehouses.published import LastRun, last_run
from schemas.definitions.duration import UNITS
from schemas.definitions.instant import write_instant
from schemas.definitions.project import Project
from schemas.definitions.retention import longest_lookback, retention
from schemas.errors import CallError
from transforms.algebra.order import BEGINNING

GONE = "SEG-0923"
"""The code of what can not be answered, since events are gone."""
_DAY = UNITS["d"]


class Gone(TypedDict):
    """What is gone, as closings and moments say it; both the beginning of time where nothing is."""

    gone_before_at: int
    horizon_at: int


def gone(project: Project, last: LastRun | None) -> Gone:
    """What runs until now have removed, and from when on answers can be computed from what is left.

    Where definitions come to look back further than events were kept for, that is the last T before them: what is gone counts
    no more.
    """
    if last is None or last.gone_before_at == BEGINNING:
        return {"gone_before_at": BEGINNING, "horizon_at": BEGINNING}
    lookback = longest_lookback(project)
    if lookback is not None and last.gone_before_at + lookback <= last.t_at:
        return {"gone_before_at": last.gone_before_at, "horizon_at": last.gone_before_at + lookback}
    since_at = last.horizon_at if last.definitions == project.meaning else last.t_at
    return {"gone_before_at": last.gone_before_at, "horizon_at": since_at}


def goes_before(project: Project, last: LastRun | None, t_at: int, now: int) -> int:
    """Before when events are gone once a run at T is published: whole days, and never less than before.

    A T that lies ahead of the clock, which may be a slip of the pen, lets nothing go that is not old yet.
    """
    kept, before = retention(project), BEGINNING if last is None else last.gone_before_at
    return before if kept is None else max((min(t_at, now) - kept) // _DAY * _DAY, before)


def see_that_answers_are_left(lake: Lake, project: Project, at: int, record: str = "") -> None:
    """See that answers about an instant can be computed from what is left. Errors: CallError, with what else there is to say."""
    said = gone(project, last_run(lake))
    if at < said["horizon_at"]:
        since, from_at = write_instant(said["gone_before_at"]), write_instant(said["horizon_at"])
        message = f"events before {since} are gone, as `retention` says: answers can be computed from {from_at} on"
        raise CallError(GONE, message, record or "`segment_history` and `feature_rows` hold what was published of before")
