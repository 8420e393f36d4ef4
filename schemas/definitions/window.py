"""Windows as they are written, and read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    ValidationInfo,
    model_validator,
)

from schemas.definitions.duration import SOME, Duration, DurationOrZero, expected_for, parse_duration, write_duration
from schemas.definitions.instant import Instant, project_timezone, zone
from schemas.definitions.reference import AnyEventReference
from schemas.definitions.refusal import nearest_to, refuse, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import shared, takes_text
from schemas.definitions.window_kinds import (
    Absolute,
    Ago,
    Between,
    Calendar,
    Kind,
    Last,
    Lifetime,
    Session,
    Since,
    Unit,
)

__all__ = [
    "KINDS",
    "PROFILE",
    "Absolute",
    "Ago",
    "AnyWindow",
    "Between",
    "Calendar",
    "CalendarZone",
    "Last",
    "Lifetime",
    "NamedWindow",
    "Session",
    "Since",
    "Unit",
    "Window",
]

PROFILE = "profile"
"""The zone that stands for the subject's own."""


def _zone(name: str) -> str:
    if name not in ("project", PROFILE):
        zone(name)
    return name


CalendarZone = Annotated[str, AfterValidator(_zone), takes_text("a time zone, `project` or `profile`")]
"""A field that holds the zone of a calendar: an IANA name, `project`, or `profile` for the subject's own."""

KINDS: tuple[type[Kind], ...] = (Last, Between, Calendar, Absolute, Lifetime, Session, Since)
"""What definitions may say; the short ones first."""
Window = Last | Between | Ago | Calendar | Absolute | Lifetime | Session | Since


@dataclass(frozen=True)
class NamedWindow:
    """A window of a feature and the end of its column's name."""

    window: Window
    suffix: str = field(compare=False)


class _Form(Strict):
    """One way to write a window."""


class _LastForm(_Form):
    last: Duration


class _BetweenForm(_Form):
    between: tuple[Duration, DurationOrZero]

    @model_validator(mode="after")
    def _far_comes_first(self) -> "_BetweenForm":
        far, near = self.between
        if far <= near:
            found = f"[{write_duration(far)}, {write_duration(near)}]"
            raise refuse("SEG-0112", "the farther end comes first", expected="as in [90d, 30d]", found=found)
        return self


class _CalendarForm(_Form):
    last: Annotated[StrictInt, Field(ge=1, le=10_000)] = 1
    unit: Unit
    tz: CalendarZone = "project"
    include_current: StrictBool = True


class _CalendarWindowForm(_Form):
    calendar: _CalendarForm


class _AbsoluteForm(_Form):
    from_at: Instant | None = Field(default=None, alias="from")
    to_at: Instant | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _from_comes_before_to(self) -> "_AbsoluteForm":
        if self.from_at is not None and self.to_at is not None and self.from_at >= self.to_at:
            raise refuse("SEG-0112", "a window that is empty", expected="`from` before `to`")
        return self


class _SessionGap(_Form):
    gap: Duration


class _SessionForm(_Form):
    session: _SessionGap


class _SinceForm(_Form):
    since: AnyEventReference


def calendar_zone(tz: str, timezone: str) -> str:
    """The zone that `tz` means in a project of this zone: an IANA name, or `profile`."""
    return timezone if tz == "project" else tz


def _calendar(form: _CalendarWindowForm, timezone: str) -> Window:
    said = form.calendar
    return Calendar(said.last, said.unit, calendar_zone(said.tz, timezone), said.include_current)


FORMS: dict[str, tuple[type[_Form], Callable[[Any, str], Window]]] = {
    "last": (_LastForm, lambda form, timezone: Last(form.last)),
    "between": (_BetweenForm, lambda form, timezone: Between(*form.between)),
    "calendar": (_CalendarWindowForm, _calendar),
    "from": (_AbsoluteForm, lambda form, timezone: Absolute(form.from_at, form.to_at)),
    "to": (_AbsoluteForm, lambda form, timezone: Absolute(form.from_at, form.to_at)),
    "session": (_SessionForm, lambda form, timezone: Session(form.session.gap)),
    "since": (_SinceForm, lambda form, timezone: Since(form.since)),
}
_EXPECTED = "7d, lifetime, or one of last, between, calendar, from/to, session, since"


def _read(value: Any, info: ValidationInfo) -> Window:
    if isinstance(value, Window):
        return value
    if value == "lifetime":
        return Lifetime()
    if isinstance(value, str):
        return _read_short(value)
    if not isinstance(value, dict) or not value:
        raise refuse("SEG-0112", "no such window", expected=_EXPECTED, found=show(value))
    kind = next((key for key in value if key in FORMS), None)
    if kind is None:
        key = next(iter(value))
        raise refuse("SEG-0112", "no such window", expected=_EXPECTED, found=show(key), nearest=nearest_to(key, FORMS))
    form, build = FORMS[kind]
    window = build(form.model_validate(value, context=info.context), project_timezone(info))
    return Last(window.us, value["last"]) if isinstance(window, Last) else window


def _read_short(text: str) -> Window:
    try:
        length = parse_duration(text)
    except ValueError:
        nearest = nearest_to(text, ("lifetime",))
        expected = expected_for(text) if text[:1].isdigit() else _EXPECTED
        raise refuse("SEG-0112", "no such window", expected=expected, found=show(text), nearest=nearest) from None
    if length == 0:
        raise refuse("SEG-0112", "an empty window", expected="more than nothing", found=text)
    return Last(length, text)


SHORT = {"type": "string", "pattern": f"^({SOME}|lifetime)$"}
"""The windows that are written as text, for JSON Schema."""
AnyWindow = Annotated[Window, PlainValidator(_read), shared("a window", "window")]
"""A field that holds a window; dates and `tz: project` are in the zone of the context."""
