"""References: which events a leaf is about, and everything that a node refers to."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationInfo

from schemas.definitions.comparison import Comparison
from schemas.definitions.expression import AnyExpression, Expression
from schemas.definitions.refusal import refuse, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import Takes, takes_text

LONGEST_NAME = 512
_EXPECTED = "a name, a list of names, or any"


@dataclass(frozen=True)
class EventReference:
    """Events by name, narrowed by a condition.

    Attributes:
      events: the names, sorted; None for events of any name.
      where: the condition, or None.
    """

    events: tuple[str, ...] | None
    where: Expression | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the condition reads."""
        return self.where.columns if self.where is not None else frozenset()


def _read_names(value: Any) -> tuple[str, ...] | None:
    if value == "any":
        return None
    names = value if isinstance(value, list | tuple) else [value]
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
            raise refuse("SEG-0114", "no event's name", expected=_EXPECTED, found=show(name))
    if "any" in names or not names:
        raise refuse(
            "SEG-0114", "no list of events", expected=_EXPECTED, found="any in a list" if names else "an empty list"
        )
    if len(set(names)) < len(names):
        raise refuse("SEG-0115", "an event is named twice", expected="each once")
    return tuple(sorted(names))


_NAME = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
_NAMES = {"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1, "uniqueItems": True}]}
EventNames = Annotated[tuple[str, ...] | None, PlainValidator(_read_names), Takes("an event, a list of them, or `any`", _NAMES)]
"""A field that holds the names of events, sorted, or None for any."""


Property = Annotated[str, takes_text("an event property")]
"""A field that holds the name of a declared property of events."""


class EventFields(Strict):
    """A mixin for definitions in which `event` and `where` stand beside other keys."""

    event: EventNames
    where: AnyExpression | None = None

    @property
    def reference(self) -> EventReference:
        """The events that the two keys name together."""
        return EventReference(self.event, self.where)


def _read(value: Any, info: ValidationInfo) -> EventReference:
    if isinstance(value, EventReference):
        return value
    if isinstance(value, dict):
        return EventFields.model_validate(value, context=info.context).reference
    if not isinstance(value, str):
        raise refuse(
            "SEG-0114", "no event reference", expected="a name, or {event: NAME, where: SQL}", found=show(value)
        )
    return EventReference(_read_names(value))


_EVENT = Takes("an event, or `{event, where}`")
AnyEventReference = Annotated[EventReference, PlainValidator(_read, json_schema_input_type=str | EventFields), _EVENT]
"""A field that holds an event reference: a name, or a mapping of `event` and `where`."""


@dataclass(frozen=True)
class References:
    """Everything that a node names outside itself, its children left out.

    Attributes:
      events: the events that it reads, with their conditions.
      event_columns: event properties beside those of the conditions: bind keys, distinct, coordinates.
      features: as `group.name_window`, or as `group.name` where the node brings its own windows.
      segments: names of other segments.
      profile: profile properties with the comparisons that must hold.
      lists: files of ids with the column to read.
      areas: GeoJSON files.
      models: the models whose scores it compares.
    """

    events: tuple[EventReference, ...] = ()
    event_columns: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    profile: tuple[tuple[str, Comparison], ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    areas: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def __add__(self, other: "References") -> "References":
        """Both together."""
        return References(
            self.events + other.events,
            self.event_columns + other.event_columns,
            self.features + other.features,
            self.segments + other.segments,
            self.profile + other.profile,
            self.lists + other.lists,
            self.areas + other.areas,
            self.models + other.models,
        )
