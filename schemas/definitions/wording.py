"""A node in one line, as its definition says it."""

from typing import Any

from schemas.definitions.comparison import Comparison
from schemas.definitions.duration import write_duration
from schemas.definitions.expression import Expression
from schemas.definitions.instant import write_instant
from schemas.definitions.node import Node
from schemas.definitions.reference import EventReference
from schemas.definitions.window import Absolute, Between, Calendar, Last, Lifetime, NamedWindow, Session, Since

_PLAIN = ("event", "segment", "feature", "columns")
"""Fields that need no name beside their value."""


def in_words(node: Node) -> str:
    """The operator and what is said of it; defaults and the nodes below are left out."""
    fields = sorted(type(node).model_fields.items(), key=lambda named: named[0] == "missing")
    said = [
        value if name in _PLAIN else f"{name} {value}"
        for name, field in fields
        if field.is_required() or getattr(node, name) != field.default
        if (value := _text(getattr(node, name)))
    ]
    return f"{node.name} {', '.join(said)}".strip().replace(", where ", " where ")


def _text(value: Any) -> str:
    """A field's value; nothing for nodes."""
    if isinstance(value, Node) or (isinstance(value, tuple) and value and isinstance(value[0], Node)):
        return ""
    if isinstance(value, tuple):
        paired = all(isinstance(part, tuple) for part in value)
        return ", ".join(" ".join(map(_text, part)) if paired else _text(part) for part in value)
    if isinstance(value, Comparison | Expression):
        return value.text
    if isinstance(value, EventReference):
        where = f" where {value.where.text}" if value.where is not None else ""
        return f"{_text(value.events)}{where}"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "any"
    return str(value) if isinstance(value, str | int) else _window(value)


def _window(window: Any) -> str:
    match window:
        case NamedWindow():
            return _window(window.window)
        case Last(us=length):
            return write_duration(length)
        case Between(far_us=far, near_us=near):
            return f"from {write_duration(far)} to {write_duration(near)} ago"
        case Calendar():
            units = f"the last {window.last} of {window.unit} in {window.tz}"
            return units if window.include_current else f"{units} before the current"
        case Absolute(from_at=begin, to_at=end):
            sides = (("from", begin), ("to", end))
            return " ".join(f"{word} {write_instant(at).replace('.000000Z', 'Z')}" for word, at in sides if at is not None)
        case Session(gap_us=gap):
            return f"session with gaps up to {write_duration(gap)}"
        case Since(event=event):
            return f"since {_text(event)}"
        case Lifetime():
            return "lifetime"
    return str(window)
