"""Aggregates (semantics 4): the exact value of one aggregate over the events of a window. None is missing (4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from tests.support.oracle_expression import matches, order
from tests.support.oracle_model import Json, local_date
from tests.support.oracle_subject import Kept, Known, View, refers
from tests.support.oracle_window import covering, suffix

by_value = cmp_to_key(order)


@dataclass(frozen=True)
class Feature:
    """One aggregate of one group."""

    group: Json
    aggregate: Json

    @property
    def name(self) -> str:
        """`group.name`."""
        return f"{self.group['features']}.{self.aggregate['name']}"

    @property
    def windows(self) -> list[Any]:
        """`lifetime` is the default (section 2)."""
        return list(self.aggregate.get("windows") or ["lifetime"])

    @property
    def op(self) -> str:
        """What is computed."""
        return str(self.aggregate["op"])

    def matching(self, view: View) -> list[Kept]:
        """The counting events of the group's source."""
        found = view.matching(self.group.get("source") or "any")
        return [event for event in found if matches(self.aggregate.get("where"), event.row)]

    def refers(self, event: Kept) -> bool:
        """Whether the event is one of the group's source."""
        return refers(self.group.get("source") or "any", event)

    def compute(self, view: View, events: list[Kept]) -> Any:
        """The exact value over the events given (a rational where the column is a DOUBLE: 4.3)."""
        return _OPS[self.op](view, self.aggregate, events)

    def value(self, view: View, window: Any) -> Any:
        """The exact value in a window at T."""
        return self.compute(view, covering(view, window, self.matching(view)))


def features(known: Known) -> list[Feature]:
    """Every aggregate of every group."""
    return [Feature(group, aggregate) for group in known.groups.values() for aggregate in group["aggregates"]]


def feature_named(known: Known, name: str) -> Feature:
    """`group.name`."""
    return next(feature for feature in features(known) if feature.name == name)


def windowed(known: Known, reference: str) -> tuple[Feature, Any]:
    """`group.name_window`, or the column's name `group__name_window` (4.4)."""
    for feature in features(known):
        for window in feature.windows:
            dotted = f"{feature.name}_{suffix(window)}"
            if reference in (dotted, dotted.replace(".", "__", 1)):
                return feature, window
    raise KeyError(f"no such feature: {reference}")


def _values(spec: Json, events: list[Kept]) -> list[Any]:
    """4.1: nulls do not enter aggregates."""
    return [event.row[spec["of"]] for event in events if event.row.get(spec["of"]) is not None]


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _exact(value: Any) -> Fraction:
    if isinstance(value, float):
        raise TypeError("a float column may not enter sum, mean or variance (4.3)")
    return Fraction(value)


def distinct(values: list[Any]) -> int:
    """Distinct non-null values."""
    return len({_hashable(value) for value in values if value is not None})


def _sum(values: list[Any]) -> Any:
    """Keeps the type, exact; 0 of nothing (4.2)."""
    total: Any = 0
    for value in values:
        _exact(value)
        total = total + value
    return total


def _mean(values: list[Any]) -> Fraction | None:
    return sum(map(_exact, values), Fraction(0)) / len(values) if values else None


def _variance(values: list[Any]) -> Fraction | None:
    """Of the population, exactly."""
    mean = _mean(values)
    return None if mean is None else sum(((_exact(v) - mean) ** 2 for v in values), Fraction(0)) / len(values)


def _percentile(values: list[Any], p: object) -> Any:
    """The nearest rank: the ceil(n p)-th smallest, at least the first; p as it is written."""
    if not values:
        return None
    exact = Fraction(Decimal(str(p)))
    rank = max(1, -((-len(values) * exact.numerator) // exact.denominator))
    return sorted(values, key=by_value)[rank - 1]


def _top(values: list[Any], k: int) -> list[Any]:
    """By count descending, then by value."""
    counts: dict[Any, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return sorted(counts, key=lambda value: (-counts[value], by_value(value)))[:k]


def _share(values: list[Any], wanted: object) -> Fraction | None:
    """Events with that value over events with any."""
    return Fraction(sum(order(v, wanted) == 0 for v in values), len(values)) if values else None


def _days_active(view: View, spec: Json, events: list[Kept]) -> int:
    """Distinct dates in `tz`; for `profile`, the zone valid at each event's instant."""
    return len({local_date(event.at, view.person.zone_at(spec.get("tz"), event.at)) for event in events})


_OPS: dict[str, Callable[[View, Json, list[Kept]], Any]] = {
    "count": lambda view, spec, events: len(events),
    "sum": lambda view, spec, events: _sum(_values(spec, events)),
    "mean": lambda view, spec, events: _mean(_values(spec, events)),
    "min": lambda view, spec, events: min(_values(spec, events), key=by_value, default=None),
    "max": lambda view, spec, events: max(_values(spec, events), key=by_value, default=None),
    "distinct": lambda view, spec, events: distinct(_values(spec, events)),
    "first": lambda view, spec, events: next(iter(_values(spec, events)), None),
    "last": lambda view, spec, events: next(reversed(_values(spec, events)), None),
    "days_active": _days_active,
    "variance": lambda view, spec, events: _variance(_values(spec, events)),
    "percentile": lambda view, spec, events: _percentile(_values(spec, events), spec["p"]),
    "top_k": lambda view, spec, events: _top(_values(spec, events), int(spec["k"])),
    "most_frequent": lambda view, spec, events: next(iter(_top(_values(spec, events), 1)), None),
    "list": lambda view, spec, events: _values(spec, events)[-int(spec["n"]) :],
    "share": lambda view, spec, events: _share(_values(spec, events), spec["value"]),
}
