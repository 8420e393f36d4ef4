"""Windows (semantics 2, the table): the half-open interval of T in which an event counts, or None if it never does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.support.oracle_model import FOREVER, duration, read_instant, unit_start
from tests.support.oracle_subject import Kept, Person, View

Interval = tuple[int, int]


def covering(view: View, window: Any, events: list[Kept]) -> list[Kept]:
    """The events whose interval covers T, in their order."""
    rule, value = _rule(window)
    found = []
    for event in events:
        interval = rule(view, value, event)
        if interval is not None and interval[0] <= view.T < interval[1]:
            found.append(event)
    return found


def suffix(window: Any) -> str:
    """4.4: the window written as `7d` or `lifetime`; any other is a mapping with `as: suffix`."""
    return str(window.get("as") or window["last"]) if isinstance(window, dict) else str(window)


def _rule(window: Any) -> tuple[Callable[[View, Any, Kept], Interval | None], Any]:
    if window is None or window == "lifetime":
        return _lifetime, None
    if isinstance(window, str):
        return _last, window
    if "from" in window or "to" in window:
        return _from_to, window
    for name, rule in _RULES.items():
        if name in window:
            return rule, window[name]
    if "lifetime" in window:
        return _lifetime, None
    raise ValueError(f"not a window: {window!r}")


def _last(view: View, length: Any, event: Kept) -> Interval:
    """[t, t+D)."""
    return (event.at, event.at + duration(length))


def _between(view: View, bounds: Any, event: Kept) -> Interval:
    """[t+B, t+A) for `between: [A, B]` ago, A > B."""
    older, newer = bounds
    return (event.at + duration(newer), event.at + duration(older))


def _calendar(view: View, spec: Any, event: Kept) -> Interval:
    """From t to the start of the n-th unit after t's own; without the current one, both a unit later."""
    zone = view.person.zone_at(spec.get("tz"), event.at)  # the zone valid at t
    n, unit = int(spec["last"]), spec["unit"]
    if spec.get("include_current", True):
        return (event.at, unit_start(event.at, unit, zone, n))
    return (unit_start(event.at, unit, zone, 1), unit_start(event.at, unit, zone, n + 1))


def _from_to(view: View, spec: Any, event: Kept) -> Interval | None:
    """[t, inf) for from <= t < to, else never; either side may be left out."""
    zone = view.known.zone
    if spec.get("from") is not None and event.at < read_instant(spec["from"], zone):
        return None
    if spec.get("to") is not None and event.at >= read_instant(spec["to"], zone):
        return None
    return (event.at, FOREVER)


def _lifetime(view: View, spec: Any, event: Kept) -> Interval:
    """[t, inf)."""
    return (event.at, FOREVER)


def _session(view: View, spec: Any, event: Kept) -> Interval:
    """[t, end): end = last event of its session + gap. Events of any name; silences <= gap.

    The events are those that count at T: what may not be used at T joins no session.
    """
    gap = duration(spec["gap"])
    last = event.at
    for other in view.events():
        if last <= other.at <= last + gap:
            last = other.at
    return (event.at, last + gap)


def _since(view: View, anchor: Any, event: Kept) -> Interval | None:
    """[t, the next anchor later than t), for t at or after an anchor; at one instant, after it, whatever the ids."""
    anchors = [other.at for other in view.matching(anchor)]
    if not any(at <= event.at for at in anchors):
        return None
    return (event.at, min((at for at in anchors if at > event.at), default=FOREVER))


_RULES: dict[str, Callable[[View, Any, Kept], Interval | None]] = {
    "last": _last,
    "between": _between,
    "calendar": _calendar,
    "session": _session,
    "since": _since,
}


def window_instants(person: Person, window: Any) -> Iterator[int]:
    """Every instant at which an event could start or cease to count in the window (a superset)."""
    rule, value = _rule(window)
    for event in person.events:
        if rule is _session:
            yield event.at + duration(value["gap"])
        elif rule is not _since:  # its ends are instants of events
            interval = rule(View(person, (), event.at), value, event)
            yield from interval or ()
