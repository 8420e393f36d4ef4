"""`geo`: a matching event within a distance of a place, or in an area (5.17)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field, PlainValidator, model_validator

from schemas.definitions.catalog import Project
from schemas.definitions.datatype import DataType
from schemas.definitions.node import Node
from schemas.definitions.reference import EventFields, Property, References
from schemas.definitions.refusal import refuse, show
from schemas.definitions.takes import Takes, takes_text
from schemas.definitions.window import AnyWindow, Lifetime
from transforms.algebra.coded import whole
from transforms.algebra.columns import value_name
from transforms.algebra.needs import Held, Need, first_few, in_window
from transforms.algebra.order import Flags, Ints
from transforms.algebra.pending import Truth, reaches
from transforms.algebra.places import distances, within
from transforms.algebra.view import Evidence, View

NUMBER = (int, float, Decimal)


def _kilometres(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, NUMBER) or value < 0:
        raise refuse("SEG-0103", "no distance", expected="kilometres, as in 5 or 0.5", found=show(value))
    return float(value)


def _place(value: Any) -> tuple[float, float]:
    numbers = value if isinstance(value, list | tuple) else ()
    if len(numbers) != 2 or not all(isinstance(part, NUMBER) and not isinstance(part, bool) for part in numbers):
        raise refuse("SEG-0103", "no place", expected="[latitude, longitude] in degrees", found=show(value))
    lat, lon = float(numbers[0]), float(numbers[1])
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise refuse("SEG-0103", "no place on earth", expected="[-90..90, -180..180]", found=show(value))
    return lat, lon


_KILOMETRES = Takes("kilometres", {"type": "number", "minimum": 0})
_DEGREES = [{"type": "number", "minimum": -most, "maximum": most} for most in (90, 180)]
_PLACE = Takes("[latitude, longitude]", {"type": "array", "prefixItems": _DEGREES, "minItems": 2, "maxItems": 2})


class Geo(EventFields, Node):
    """True at T when an event in the window lies within `within_km` of the place `of`, or in the polygon.

    `lat` and `lon` name the columns with its coordinates; an event without them lies nowhere.
    """

    name = "geo"
    can_be_unknown = False
    when = "Who was near a shop, or in a region."
    example = "geo: {event: visit, within_km: 5, of: [52.52, 13.405], window: 7d}"
    story = """
    name: a visit from Munich is not near Berlin
    events: [[0d, visit, {lat: 48.14, lon: 11.58}], [1d, visit, {lat: 52.53, lon: 13.4}]]
    expect: [{at: 0d, member: false}, {at: 1d, member: true}, {at: 8d, member: false}]
    """

    within_km: Annotated[float, PlainValidator(_kilometres), _KILOMETRES] | None = None
    of: Annotated[tuple[float, float], PlainValidator(_place), _PLACE] | None = None
    polygon: Annotated[str, takes_text("a GeoJSON file")] | None = None
    lat: Property = "lat"
    lon: Property = "lon"
    window: AnyWindow = Field(default=Lifetime())

    @model_validator(mode="after")
    def _is_a_circle_or_an_area(self) -> "Geo":
        circle = (self.within_km is not None, self.of is not None)
        if any(circle) == (self.polygon is not None) or circle[0] != circle[1]:
            raise refuse("SEG-0101", "`geo` says no place", expected="`within_km` and `of`, or `polygon`")
        return self

    def references(self) -> References:
        """The events, their coordinates and the area."""
        areas = () if self.polygon is None else (self.polygon,)
        return super().references() + References(event_columns=(self.lat, self.lon), areas=areas)

    def check_columns(self, types: Mapping[str, DataType]) -> None:
        """See that the coordinates are numbers. Raises ValueError."""
        for column in (self.lat, self.lon):
            if not types[column].is_number:
                raise refuse("SEG-0208", f"`{column}` is no coordinate", expected="float or decimal", found=str(types[column]))

    def needs(self, project: Project) -> tuple[Need, ...]:
        """An event that lies there."""
        return in_window(self.window, self._held, first_few(1), (self.reference,))

    def steps(self, view: View) -> Truth:
        """Any of the events that lie there."""
        return reaches(self.evidence(view).rows)

    def evidence(self, view: View) -> Evidence:
        """The events that lie there."""
        rows, chosen = view.evidence(self.reference, self.window)
        there = self._there(view, chosen)
        return Evidence(rows.take(there), chosen[there])

    def _held(self, view: View) -> Held:
        rows, chosen = self.evidence(view)
        return Held(rows, chosen, view.events(chosen))

    def _there(self, view: View, chosen: Ints) -> Flags:
        lat, lon = _degrees(view, chosen, self.lat), _degrees(view, chosen, self.lon)
        if self.polygon is not None:
            return within(lat, lon, view.project.areas[self.polygon])
        return distances(lat, lon, *(self.of or (0.0, 0.0))) <= (self.within_km or 0.0)


def _degrees(view: View, chosen: Ints, column: str) -> np.ndarray:
    """The coordinate of each event; not a number where it has none."""
    values = whole(view.timeline.facts.columns[value_name(column)]).take(pa.array(view.timeline.row[chosen]))
    return np.asarray(values.cast(pa.float64()).fill_null(np.nan))


OPERATOR = Geo
