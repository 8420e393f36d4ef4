"""Stories: the tests of a segment, as facts about one subject and what is expected of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import ConfigDict, Field, PlainValidator, StrictBool, StrictInt, ValidationInfo, field_validator

from schemas.consent import ACTIONS
from schemas.definitions.datatype import DataType
from schemas.definitions.duration import parse_duration
from schemas.definitions.held_value import value_of
from schemas.definitions.instant import parse_instant, project_timezone
from schemas.definitions.name import parse_name
from schemas.definitions.refusal import nearest_to, refuse, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import takes_text

START = parse_instant("2026-01-05T00:00:00Z")
"""Where offsets of a story count from: a Monday."""
_EXPECTED = "an offset from the story's start, as in 45m or -2d, or a date"


def _moment(value: Any, info: ValidationInfo) -> int:
    if not isinstance(value, str):
        raise refuse("SEG-0500", "no moment of a story", expected=_EXPECTED, found=show(value))
    try:
        back = value.startswith("-")
        return START + (-1 if back else 1) * parse_duration(value.removeprefix("-"))
    except ValueError:
        pass
    try:
        return parse_instant(value, project_timezone(info))
    except ValueError:
        raise refuse("SEG-0500", "no moment of a story", expected=_EXPECTED, found=show(value)) from None


_WHEN = "^-?[0-9]{1,12}[smhdw]$|^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}"
Moment = Annotated[int, PlainValidator(_moment), takes_text("a moment: an offset as in 45m or -2d, or a date", _WHEN)]
"""An instant of a story in microseconds, written as an offset from its start or as a date."""


@dataclass(frozen=True)
class StoryEvent:
    """Something that the subject does. `received_at` is None where it arrives as it happens."""

    event: str
    at: int
    received_at: int | None = None
    event_id: str | None = None
    source: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class StoryProfile:
    """What becomes known of the subject. `at` is None for what holds from before its first event."""

    columns: Mapping[str, Any] = field(hash=False)
    at: int | None = None
    received_at: int | None = None


@dataclass(frozen=True)
class StoryConsent:
    """A row of the ledger. `purpose` is None for all of the segment's; `said` holds other columns of the ledger."""

    action: str
    at: int
    received_at: int | None = None
    purpose: str | None = None
    said: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class StoryScore:
    """What a model says of the subject."""

    model: str
    at: int
    received_at: int | None = None
    version: str | None = None
    value: float | None = None
    label: str | None = None


class Expected(Strict):
    """The answer at an instant, by what was known at another (by default: everything)."""

    at: Moment
    known: Moment | None = None
    member: StrictBool


class _EventForm(Strict):
    at: Moment
    event: str
    received: Moment | None = None
    event_id: str | None = None
    source: str | None = None


class _OpenEvent(_EventForm):
    """An event as it is written: other keys are its properties."""

    model_config = ConfigDict(extra="allow")


class _ConsentForm(Strict):
    at: Moment
    action: str
    received: Moment | None = None
    purpose: str | None = None
    scope: str | None = None
    purpose_major: StrictInt | None = None
    channel: str | None = None
    claimed_precision: str | None = None
    expires: Moment | None = None
    payload_kind: str | None = None
    method: str | None = None
    actor: str | None = None
    retroactive: StrictBool | None = None
    jurisdiction: str | None = None

    @field_validator("action")
    @classmethod
    def _is_known(cls, action: str) -> str:
        if action not in ACTIONS:
            nearest = nearest_to(action, {known.lower() for known in ACTIONS}).upper()
            raise refuse("SEG-0500", "no such action", expected=", ".join(ACTIONS), found=show(action), nearest=nearest)
        return action


class _ProfileForm(Strict):
    at: Moment
    received: Moment | None = None
    columns: dict[str, Any]


def _number(value: Any) -> float:
    try:
        return float(value_of(value, DataType("float")))
    except ValueError:
        raise refuse("SEG-0501", "no value of a score", expected="a number", found=show(value)) from None


class _ScoreForm(Strict):
    at: Moment
    model: str
    received: Moment | None = None
    version: str | None = None
    value: Annotated[float, PlainValidator(_number, json_schema_input_type=float)] | None = None
    label: str | None = None


def _spread(value: Any, second: str, shape: str) -> dict[str, Any]:
    """A fact as a mapping: `[at, second, {more}]` is `{at:, second:, more…}`."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and len(value) in (2, 3) and isinstance(value[-1] if len(value) == 3 else {}, dict):
        return {"at": value[0], second: value[1], **(value[2] if len(value) == 3 else {})}
    raise refuse("SEG-0500", "no fact of a story", expected=shape, found=show(value))


def _event(value: Any, info: ValidationInfo) -> StoryEvent:
    """What is no key of an event is a property of it."""
    said = _spread(value, "event", "[0m, name, {property: value}] or {at: 0m, event: name, property: value}")
    own = {key: said[key] for key in _EventForm.model_fields if key in said}
    form = _EventForm.model_validate(own, context=info.context)
    properties = {key: part for key, part in said.items() if key not in own}
    return StoryEvent(form.event, form.at, form.received, form.event_id, form.source, properties)


def _consent(value: Any, info: ValidationInfo) -> StoryConsent:
    said = _spread(value, "action", "[10m, GRANT] or {at: 10m, action: GRANT, method: interactive}")
    form = _ConsentForm.model_validate(said, context=info.context)
    own = ("at", "action", "received", "purpose")
    more = {key: part for key, part in form if key not in own and part is not None}
    if "expires" in more:
        more["expires_at"] = more.pop("expires")
    return StoryConsent(form.action, form.at, form.received, form.purpose, more)


def _score(value: Any, info: ValidationInfo) -> StoryScore:
    is_row = isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict)
    said = {"at": value[0], **value[1]} if is_row else value
    shape = "[10m, {model: name, value: 0.8}] or {at: 10m, model: name, label: text}"
    if not isinstance(said, dict) or not {"value", "label"} & {key for key, part in said.items() if part is not None}:
        raise refuse("SEG-0500", "no score of a story", expected=shape, found=show(value))
    form = _ScoreForm.model_validate(said, context=info.context)
    return StoryScore(form.model, form.at, form.received, form.version, form.value, form.label)


def _profile(value: Any, info: ValidationInfo) -> tuple[StoryProfile, ...]:
    if isinstance(value, dict):
        return (StoryProfile(value),)
    if not isinstance(value, list):
        expected = "{column: value}, or a list of [10m, {column: value}]"
        raise refuse("SEG-0500", "no profile of a story", expected=expected, found=show(value))
    return tuple(_profile_row(row, info) for row in value)


def _profile_row(value: Any, info: ValidationInfo) -> StoryProfile:
    said = _spread(value, "columns", "[10m, {column: value}]")
    form = _ProfileForm.model_validate(said, context=info.context)
    return StoryProfile(form.columns, form.at, form.received)


_More = dict[str, Any]
_EventRow = tuple[Moment, str] | tuple[Moment, str, _More]
_ConsentRow = tuple[Moment, str] | tuple[Moment, str, _More]
_OfEvent = Annotated[StoryEvent, PlainValidator(_event, json_schema_input_type=_EventRow | _OpenEvent)]
_OfConsent = Annotated[StoryConsent, PlainValidator(_consent, json_schema_input_type=_ConsentRow | _ConsentForm)]
_OfScore = Annotated[StoryScore, PlainValidator(_score, json_schema_input_type=tuple[Moment, _More] | _ScoreForm)]
_ProfileRows = list[tuple[Moment, _More] | _ProfileForm]


class Story(Strict):
    """One test of a segment.

    Attributes:
      profile: rows of the profile; the subject was born in 1980 unless they say otherwise.
      consent: ledger rows; None for consent that is granted from before the first event, empty for none at all.
      events: in the order of the file.
      scores: what models say; they make nobody known.
      expect: at least one answer.
    """

    name: str
    profile: Annotated[tuple[StoryProfile, ...], PlainValidator(_profile, json_schema_input_type=_More | _ProfileRows)] = ()
    consent: tuple[_OfConsent, ...] | None = None
    events: tuple[_OfEvent, ...] = ()
    scores: tuple[_OfScore, ...] = ()
    expect: Annotated[tuple[Expected, ...], Field(min_length=1)]


Path = tuple[str | int, ...]


def typed_story(
    story: Story, events: Mapping[str, DataType], profiles: Mapping[str, DataType], timezone: str
) -> tuple[Story, list[tuple[Path, str, ValueError]]]:
    """The story with its values as the columns hold them, and what does not fit: (path, column, error) each.

    A timestamp becomes microseconds, a date a date, a decimal has its column's digits; the others stay as they are.
    """
    wrong: list[tuple[Path, str, ValueError]] = []

    def fit(values: Mapping[str, Any], columns: Mapping[str, DataType], path: Path) -> dict[str, Any]:
        fitted = {}
        for name, value in values.items():
            try:
                fitted[name] = _fitted(name, value, columns, timezone)
            except ValueError as error:
                wrong.append((path, name, error))
        return fitted

    rows = tuple(replace(r, columns=fit(r.columns, profiles, ("profile",))) for r in story.profile)
    done = tuple(
        replace(event, properties=fit(event.properties, events, ("events", index)))
        for index, event in enumerate(story.events)
    )
    return story.model_copy(update={"profile": rows, "events": done}), wrong


def _fitted(name: str, value: Any, columns: Mapping[str, DataType], timezone: str) -> Any:
    if name not in columns:
        parse_name(name)
        nearest = nearest_to(name, columns)
        raise refuse("SEG-0304", f"no source declares `{name}`", expected=", ".join(sorted(columns)), nearest=nearest)
    try:
        return None if value is None else value_of(value, columns[name], timezone)
    except ValueError:
        expected, found = str(columns[name]), show(value)
        raise refuse("SEG-0501", f"no value of `{name}`", expected=expected, found=found) from None
