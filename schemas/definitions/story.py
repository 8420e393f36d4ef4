"""Stories: the tests of a segment, as facts about one subject and what is expected of it."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import ConfigDict, PlainValidator, StrictBool, ValidationInfo

from schemas.definitions.duration import parse_duration
from schemas.definitions.instant import parse_instant, project_timezone
from schemas.definitions.refusal import refuse, show
from schemas.definitions.strict import Strict

START = parse_instant("2026-01-05T00:00:00Z")
"""Where offsets of a story count from: a Monday."""
_EXPECTED = "an offset from the story's start, as in 45m or -2d, or a date"
_RESERVED = ("at", "event", "received", "id", "source")


def _moment(value: Any, info: ValidationInfo) -> int:
    if not isinstance(value, str):
        raise refuse("SEG-0500", "no moment of a story", expected=_EXPECTED, found=show(value))
    try:
        back = value.startswith("-")
        return START + (-1 if back else 1) * parse_duration(value.removeprefix("-"))
    except ValueError:
        return parse_instant(value, project_timezone(info))


Moment = Annotated[int, PlainValidator(_moment)]


@dataclass(frozen=True)
class StoryEvent:
    """Something that the subject does. `received_at` is None where it arrives as it happens."""

    event: str
    at: int
    received_at: int | None = None
    event_id: str | None = None
    source: str | None = None
    properties: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class StoryConsent:
    """A row of the ledger. `said` holds the columns beyond the action."""

    action: str
    at: int
    received_at: int | None = None
    said: dict[str, Any] = field(default_factory=dict, hash=False)


class Expected(Strict):
    """The answer at an instant, by what was known at another (by default: everything)."""

    at: Moment
    known: Moment | None = None
    member: StrictBool


class _Timed(Strict):
    at: Moment
    received: Moment | None = None


def _times(value: dict[str, Any], info: ValidationInfo) -> _Timed:
    return _Timed.model_validate({key: value[key] for key in ("at", "received") if key in value}, context=info.context)


def _event(value: Any, info: ValidationInfo) -> StoryEvent:
    if isinstance(value, list) and len(value) in (2, 3):
        more = value[2] if len(value) == 3 else {}
        value = {"at": value[0], "event": value[1], **(more if isinstance(more, dict) else {})}
    if not isinstance(value, dict) or not isinstance(value.get("event"), str):
        expected = "[0m, name, {property: value}] or {at: 0m, event: name, property: value}"
        raise refuse("SEG-0500", "no event of a story", expected=expected, found=show(value))
    times = _times(value, info)
    properties = {key: part for key, part in value.items() if key not in _RESERVED}
    return StoryEvent(value["event"], times.at, times.received, value.get("id"), value.get("source"), properties)


def _consent(value: Any, info: ValidationInfo) -> StoryConsent:
    if isinstance(value, list) and len(value) in (2, 3):
        more = value[2] if len(value) == 3 else {}
        value = {"at": value[0], "action": value[1], **(more if isinstance(more, dict) else {})}
    if not isinstance(value, dict) or not isinstance(value.get("action"), str):
        expected = "[10m, GRANT] or {at: 10m, action: GRANT, channel: email}"
        raise refuse("SEG-0500", "no ledger row of a story", expected=expected, found=show(value))
    times = _times(value, info)
    said = {key: part for key, part in value.items() if key not in ("at", "action", "received")}
    return StoryConsent(value["action"], times.at, times.received, said)


class Story(Strict):
    """One test of a segment.

    Attributes:
      profile: columns valid from before the first event; the subject was born in 1980 unless it says otherwise.
      consent: ledger rows; without them consent is granted from before the first event.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    profile: dict[str, Any] | None = None
    consent: tuple[Annotated[StoryConsent, PlainValidator(_consent)], ...] | None = None
    events: tuple[Annotated[StoryEvent, PlainValidator(_event)], ...] = ()
    expect: tuple[Expected, ...]
