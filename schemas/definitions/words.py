"""Definitions in words: a feature for who reads its column, a condition in one line of an explanation."""

from collections.abc import Callable, Collection
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.definitions.aggregate import Aggregate
from schemas.definitions.comparison import Comparison
from schemas.definitions.duration import LENGTH, write_duration
from schemas.definitions.expression import Expression
from schemas.definitions.feature import FeatureColumn, FeatureGroup
from schemas.definitions.instant import write_instant
from schemas.definitions.node import Node
from schemas.definitions.reference import EventReference
from schemas.definitions.window import (
    PROFILE,
    Absolute,
    Ago,
    Between,
    Calendar,
    Last,
    Lifetime,
    NamedWindow,
    Session,
    Since,
    Window,
)

_OPERATIONS = {"count": "number of events", "distinct": "exact number of different values", "days_active": "days with events"}
"""Where the name of the operation is no word for what it gives."""
_PLAIN = ("event", "window", "segment", "feature", "columns", "model")
"""Fields of a condition that need no name beside their value."""
_UNITS = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def feature_in_words(group: FeatureGroup, column: FeatureColumn) -> str:
    """What a feature column holds: `sum of amount over order_completed, the last 30 days; 0 where there are none`."""
    empty = "0" if column.aggregate.never_missing else "null"
    held = f"{_operation(column.aggregate)} over {events_in_words(column.source)}, {window_in_words(column.window)}"
    return f"{held}; {empty} where there are none, null where {' and '.join(group.purposes)} may not use them"


def _operation(aggregate: Aggregate) -> str:
    name = _OPERATIONS.get(aggregate.op, aggregate.op.replace("_", " "))
    return f"{name} of {aggregate.of}" if aggregate.of else name


def condition_in_words(node: Node, without: Collection[str] = ()) -> str:
    """The operator and what is said of it, in one line; defaults, the nodes below and fields `without` are left out."""
    fields = sorted(type(node).model_fields.items(), key=lambda named: named[0] == "missing")
    said = [
        value if name in _PLAIN else f"{field.alias or name} {value}"
        for name, field in fields
        if name not in without
        if field.is_required() or getattr(node, name) != field.default
        if (value := _said(field, getattr(node, name)))
    ]
    return f"{node.name} {', '.join(said)}".strip().replace(", where ", " where ")


def _said(field: FieldInfo, value: Any) -> str:
    return _length(value) if isinstance(value, int) and is_length(field) else _text(value)


def is_length(field: FieldInfo) -> bool:
    """Whether a field holds a duration, also one that may be left out."""
    marks = [mark for kind in get_args(field.annotation) for mark in getattr(kind, "__metadata__", ())]
    return LENGTH in (*field.metadata, *marks)


def _text(value: Any) -> str:
    """A field's value; nothing for nodes."""
    match value:
        case Node() | (Node(), *_):
            return ""
        case tuple():
            paired = all(isinstance(part, tuple) for part in value)
            return ", ".join(" ".join(map(_text, part)) if paired else _text(part) for part in value)
        case Comparison() | Expression():
            return value.text
        case EventReference():
            return events_in_words(value)
        case BaseModel():
            return " ".join(f"{name} {_text(part)}" for name, part in value if part != type(value).model_fields[name].default)
        case NamedWindow():
            return window_in_words(value.window)
        case bool():
            return str(value).lower()
        case None:
            return "any"
    return str(value) if isinstance(value, str | int | float) else window_in_words(value)


def events_in_words(source: EventReference) -> str:
    """The events that are meant: `purchase or refund where amount > 10`."""
    names = "events of any name" if source.events is None else " or ".join(source.events)
    return f"{names} where {' '.join(source.where.text.split())}" if source.where else names


def window_in_words(window: Window) -> str:
    """The time that counts: `the last 30 days`."""
    return _WINDOWS[type(window)](window)


def _length(length: int) -> str:
    """A duration in words: 1 day, 36 hours."""
    text = write_duration(length)
    return f"{text[:-1]} {_UNITS[text[-1]]}{'' if text[:-1] == '1' else 's'}"


def _calendar(window: Calendar) -> str:
    zone = "the subject's own zone" if window.tz == PROFILE else window.tz
    current = "the current one among them" if window.include_current else "the current one left out"
    units = f"{window.last} calendar {window.unit}{'' if window.last == 1 else 's'}"
    return f"the last {units} in {zone}, {current}"


def _absolute(window: Absolute) -> str:
    since = "" if window.from_at is None else f"from {_instant(window.from_at)}"
    until = "" if window.to_at is None else f"before {_instant(window.to_at)}"
    return " and ".join(part for part in (since, until) if part) or "ever"


def _instant(at: int) -> str:
    return write_instant(at).replace(".000000Z", "Z")


_WINDOWS: dict[type, Callable[[Any], str]] = {
    Last: lambda window: f"the last {_length(window.us)}",
    Between: lambda window: f"from {_length(window.far_us)} to {_length(window.near_us)} ago",
    Ago: lambda window: f"at least {_length(window.us)} ago",
    Calendar: _calendar,
    Absolute: _absolute,
    Lifetime: lambda window: "ever",
    Session: lambda window: f"the session, which ends after a gap of {_length(window.gap_us)}",
    Since: lambda window: f"since the last {events_in_words(window.event)}",
}
