"""The operators (semantics 5), one small function each, and membership (3.3), which they need for `in_segment`."""



from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.support.oracle_aggregate import distinct, feature_named, windowed
from tests.support.oracle_expression import evaluate, has_percent, satisfies
from tests.support.oracle_model import (
    DAY,
    FOREVER,
    Json,
    Score,
    Truth,
    duration,
    kleene_all,
    kleene_any,
    kleene_not,
    unit_start,
)
from tests.support.oracle_subject import Kept, Known, View, names, refers
from tests.support.oracle_window import covering

Args = Any
Operator = Callable[[View, Args], Truth]


# --- Membership (3.3) -------------------------------------------------------------------------------------------------


def purposes_of(segment: Json) -> tuple[str, ...]:
    """A name or a list, then all of them."""
    return names(segment["purpose"])


def answer(known: Known, name: str, subject: str, T: int) -> bool:
    """Member at T iff in the population at T, and the purposes are open at T, and the root is true."""
    segment = known.segments[name]
    view = View(known.person(subject, T), purposes_of(segment), T)
    return (
        not view.person.merged  # 6.3: the merged id is a member of nothing
        and all(view.person.open(purpose, T) for purpose in view.purposes)
        and in_population(view, population_of(known, segment))
        and truth_of(view, segment["when"]) is True  # unknown at the root is not a member (3.1)
    )


def population_of(known: Known, segment: Json) -> Any:
    """The segment's, else the project's default, else `known_subjects`."""
    default = (known.project.get("defaults") or {}).get("population", "known_subjects")
    return segment.get("population", default)


def in_population(view: View, population: Any) -> bool:
    """The three populations."""
    if population == "known_subjects":
        first = view.person.first_fact
        return first is not None and first <= view.T
    if "active_in" in population:
        return bool(view.between(view.events(), view.T - duration(population["active_in"]), view.T))
    return answer(view.known, population["in_segment"], view.person.subject, view.T)


def truth_of(view: View, node: Json) -> Truth:
    """A node's value; `missing` replaces it whenever it is unknown (3.2)."""
    ((operator, args),) = node.items()
    value = OPERATORS[operator](view, args)
    if value is None and isinstance(args, dict) and isinstance(args.get("missing"), bool):
        return bool(args["missing"])
    return value


# --- The leaves -------------------------------------------------------------------------------------------------------


def _found(view: View, args: Args) -> list[Kept]:
    """The matching events in the window."""
    return covering(view, args.get("window"), view.matching(args))


def _did(view: View, args: Args) -> Truth:
    """5.1: the number of matching events (or of distinct non-null values) in the window satisfies `count`."""
    found = _found(view, args)
    column = args.get("distinct")
    number = len(found) if column is None else distinct([event.row.get(column) for event in found])
    return satisfies(number, args.get("count", ">= 1"))


def _did_not(view: View, args: Args) -> Truth:
    """5.2: that number is 0."""
    return not _found(view, args)


def _nth_event(view: View, args: Args, n: int) -> Truth:
    matching = view.matching(args)
    return len(matching) >= n and bool(covering(view, args.get("window"), [matching[n - 1]]))


def _first_time(view: View, args: Args) -> Truth:
    """5.3: the subject's first matching event lies in the window."""
    return _nth_event(view, args, 1)


def _nth(view: View, args: Args) -> Truth:
    """5.4: the n-th matching event lies in the window."""
    return _nth_event(view, args, int(args["n"]))


def _having(events: list[Kept], having: str) -> Truth:
    if not events:
        return None
    value = evaluate(having, events[-1].row)
    return None if value is None else bool(value)


def _last(view: View, args: Args) -> Truth:
    """5.5: the latest matching event in the window satisfies `having`; unknown when there is none."""
    return _having(_found(view, args), args["having"])


def _context(view: View, args: Args) -> Truth:
    """5.16: `last` over events of any name, `where` as its `having`."""
    return _having(covering(view, args.get("window"), view.events()), args["where"])


def _aggregate(view: View, args: Args) -> Truth:
    """5.6: the feature, in the segment's epochs, satisfies the comparison (on the exact rational: 4.3)."""
    feature, window = windowed(view.known, args["feature"])
    return satisfies(feature.value(view, window), args["compare"])


def _trend(view: View, args: Args) -> Truth:
    """5.7: (this - vs)/abs(vs) for a change in percent, this - vs otherwise."""
    feature = feature_named(view.known, args["feature"])
    length, before = duration(args["this"]), duration(args["vs"])
    events, split = feature.matching(view), view.T - length
    this: Any = feature.compute(view, view.between(events, split, view.T))
    base: Any = feature.compute(view, view.between(events, split - before, split))
    if this is None or base is None:
        return None
    this, base = Fraction(this), Fraction(base)
    if length != before:  # only count and sum, then per 24 hours
        this, base = this / Fraction(length, DAY), base / Fraction(before, DAY)
    if not has_percent(args["change"]):
        return satisfies(this - base, args["change"])
    return None if base == 0 else satisfies(100 * (this - base) / abs(base), args["change"])


def _regularly(view: View, args: Args) -> Truth:
    """5.8: at least k of the last n whole periods before the one holding T had a matching event."""
    period = args["period"]
    unit = period["unit"] if isinstance(period, dict) else period
    tz = args.get("tz", period.get("tz") if isinstance(period, dict) else None)
    zone = view.person.zone_at(tz, view.T)  # the zone valid at T serves for all of them
    matching, filled = view.matching(args), 0
    for ago in range(1, int(args["of_last"]) + 1):
        start, end = (unit_start(view.T, unit, zone, -ago), unit_start(view.T, unit, zone, 1 - ago))
        filled += any(start <= event.at < end for event in matching)
    return filled >= int(args["at_least"])


def _bound(event: Kept, bind: list[str]) -> tuple[Any, ...] | None:
    """The event's values of `bind`; None where one is null."""
    values = tuple(event.row.get(column) for column in bind)
    return None if any(value is None for value in values) else values


def _sequence(view: View, args: Args) -> Truth:
    """5.9: a match ended at an event whose window covers T. Every assignment of events to steps is tried."""
    steps, bind = args["steps"], list(args.get("bind") or [])
    listed = args.get("order", "listed") != "any"
    gap = duration(args["gap"]) if args.get("gap") else FOREVER
    within = duration(args["within"]) if args.get("within") else FOREVER
    events = [event for event in view.events() if _bound(event, bind) is not None]
    unless = [event for event in events if args.get("unless") and refers(args["unless"], event)]
    candidates = [[event for event in events if refers(step, event)] for step in steps]

    def is_match(chosen: list[Kept]) -> bool:
        ordered = chosen if listed else sorted(chosen, key=lambda event: event.at)
        first, last = ordered[0], ordered[-1]
        return (
            all(0 <= b.at - a.at <= gap for a, b in pairwise(ordered))
            and last.at - first.at <= within
            and not any(
                first.at < other.at < last.at and other not in chosen and _bound(other, bind) == _bound(first, bind)
                for other in unless
            )
            and bool(covering(view, args.get("window"), [last]))
        )

    def search(chosen: list[Kept]) -> bool:
        if len(chosen) == len(steps):
            return is_match(chosen)
        return any(
            search([*chosen, event])
            for event in candidates[len(chosen)]
            if event not in chosen and all(_bound(event, bind) == _bound(other, bind) for other in chosen)
        )

    return search([])


def _inaction(view: View, args: Args) -> Truth:
    """5.10: no `not` event in [a, a+for], and T in [a+for, min(a+within, the first such event later))."""
    bind, wait = list(args.get("bind") or []), duration(args["for"])
    afters = [event for event in view.matching(args["after"]) if _bound(event, bind) is not None]
    nots = view.matching(args["not"])
    for after in afters:
        # At exactly a, only events that are not `after` events themselves count as `not`.
        such = [
            event.at
            for event in nots
            if _bound(event, bind) == _bound(after, bind)
            and (event.at > after.at or (event.at == after.at and not refers(args["after"], event)))
        ]
        due = after.at + wait
        ends = [at for at in such if at > due]
        if args.get("within"):
            ends.append(after.at + duration(args["within"]))
        if not any(at <= due for at in such) and due <= view.T < min(ends, default=FOREVER):
            return True
    return False


def _stopped(view: View, args: Args) -> Truth:
    """5.11: at least one in (T-quiet-active, T-quiet], none in (T-quiet, T]."""
    quiet, active, events = duration(args["quiet"]), duration(args["active"]), view.matching(args)
    start = view.T - quiet
    return bool(view.between(events, start - active, start)) and not view.between(events, start, view.T)


def _restarted(view: View, args: Args) -> Truth:
    """5.12: one in (T-active, T], none in (T-active-quiet, T-active], one at or before T-active-quiet."""
    quiet, active, events = duration(args["quiet"]), duration(args["active"]), view.matching(args)
    start, before = view.T - active, view.T - active - quiet
    ever = duration(args["active_before"]) if args.get("active_before") else FOREVER
    return (
        bool(view.between(events, start, view.T))
        and not view.between(events, before, start)
        and bool(view.between(events, before - ever, before))
    )


def lifecycle_state(view: View, args: Args, back: int = 0) -> str:
    """5.13: by the current period (T-p, T] and the previous one, or the unit holding T and the one before.

    `back`: so many periods before, at their end, by the events that count at T.
    """
    end, start, before = (_period_end(view, args["period"], back + number) for number in range(3))
    events = view.matching(args)
    current, previous = view.between(events, start, end), view.between(events, before, start)
    earlier = [event for event in events if event.at <= before]
    if current:
        return "retained" if previous else "resurrected" if earlier else "new"
    return "dormant" if previous else "lost" if earlier else "never"


def _period_end(view: View, period: Any, back: int) -> int:
    """The last instant of the period so many before that of T; of its own T itself. The zone valid at T serves for all."""
    if not isinstance(period, dict):
        return view.T - back * duration(period)
    zone = view.person.zone_at(period.get("tz"), view.T)
    return unit_start(view.T, period["unit"], zone, 1 - back) - 1 if back else view.T


def _lifecycle(view: View, args: Args) -> Truth:
    return lifecycle_state(view, args) in names(args["in"])


def _property(view: View, args: Args) -> Truth:
    """5.15: every comparison holds for the profile valid at T, which is used if the purpose is open at T (6.2)."""
    usable = all(view.person.open(purpose, view.T) for purpose in view.purposes)
    profile = view.person.profile_at(view.T) if usable else {}
    found: list[Truth] = []
    for column, comparison in args.items():
        if column != "missing":
            age = view.person.age(view.T, view.T) if usable and column == "age" else None
            found.append(satisfies(age if column == "age" else profile.get(column), comparison))
    return kleene_all(found)


def _geo(view: View, args: Args) -> Truth:
    """5.17: a matching event in the window lies within the distance of `of`, or in the polygon."""
    lat, lon = args.get("lat", "lat"), args.get("lon", "lon")
    for event in _found(view, args):
        y, x = event.row.get(lat), event.row.get(lon)
        if y is None or x is None:
            continue
        if "polygon" in args:
            if _inside(float(str(x)), float(str(y)), view.known.project["polygons"][args["polygon"]]):
                return True
        elif _kilometres(float(str(y)), float(str(x)), *map(float, args["of"])) <= args["within_km"]:
            return True
    return False


def _kilometres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Haversine on a sphere of 6371.0088 km."""
    p1, p2 = math.radians(lat1), math.radians(lat2)
    h = math.sin((p2 - p1) / 2) ** 2 + math.cos(p1) * math.cos(p2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(min(1.0, math.sqrt(h)))


def _inside(x: float, y: float, ring: list[tuple[float, float]]) -> bool:
    """Even-odd rule over one ring of (lon, lat)."""
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def _bucket(view: View, args: Args) -> Truth:
    """5.19: the first 8 bytes of SHA-256(salt, NUL, subject), big-endian, modulo `of`, lies in [lo, hi).

    The subject is the one that the links at T lead to.
    """
    digest = hashlib.sha256(f"{args['salt']}\0{view.person.subject}".encode()).digest()
    low, high = args["range"]
    return bool(low <= int.from_bytes(digest[:8], "big") % int(args["of"]) < high)


def _list(view: View, args: Args) -> Truth:
    """5.20: any id of the subject is in the file: of all that belong to it at T (6.3)."""
    listed = view.known.project["lists"][args["file"]][args["column"]]
    return any(one.subject in listed for one in view.person.people)


def _score_of(view: View, args: Args) -> Score | None:
    """5.14: the survivor's, valid at T: a state, used if the purpose is open at T, like a profile's (6.2)."""
    usable = all(view.person.open(purpose, view.T) for purpose in view.purposes)
    return view.person.score_at(args["model"], view.T) if usable else None


def _labelled(view: View, args: Args) -> Truth:
    """5.14, `rfm` and `persona`: the label published is among `in`; unknown when none."""
    score = _score_of(view, args)
    return None if score is None or score.label is None else score.label in names(args["in"])


def _score(view: View, args: Args) -> Truth:
    """5.14, `score`: the value published satisfies the comparison; unknown when none.

    Reading: what is unknown then is the value, as of a null property: 3.2 says that `is null` never is.
    """
    score = _score_of(view, args)
    return satisfies(None if score is None else score.value, args["compare"])


def _in_segment(view: View, name: Args) -> Truth:
    """5.18: the other segment's answer at (T, K), its population and consent included; never unknown."""
    other = name if isinstance(name, str) else name["segment"]
    return answer(view.known, other, view.person.subject, view.T)


OPERATORS: dict[str, Operator] = {
    "all": lambda view, args: kleene_all([truth_of(view, node) for node in args]),
    "any": lambda view, args: kleene_any([truth_of(view, node) for node in args]),
    "not": lambda view, args: kleene_not(truth_of(view, args)),
    "did": _did,
    "did_not": _did_not,
    "first_time": _first_time,
    "nth": _nth,
    "last": _last,
    "context": _context,
    "aggregate": _aggregate,
    "trend": _trend,
    "regularly": _regularly,
    "sequence": _sequence,
    "inaction": _inaction,
    "stopped": _stopped,
    "restarted": _restarted,
    "lifecycle": _lifecycle,
    "property": _property,
    "geo": _geo,
    "in_segment": _in_segment,
    "bucket": _bucket,
    "list": _list,
    "rfm": _labelled,
    "persona": _labelled,
    "score": _score,
}
