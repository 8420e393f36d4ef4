"""Places on earth: distances on a sphere, and points in areas. What is not a number is nowhere."""

import numpy as np
import numpy.typing as npt

from schemas.definitions.areas import Area, Ring
from transforms.algebra.order import Flags

RADIUS_KM = 6371.0088
Degrees = npt.NDArray[np.float64]


def distances(lat: Degrees, lon: Degrees, to_lat: float, to_lon: float) -> Degrees:
    """Kilometres from each place to one, by the haversine formula."""
    here, there = np.radians(lat), np.radians(to_lat)
    half_chord = np.sin((there - here) / 2) ** 2 + np.cos(here) * np.cos(there) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    kilometres: Degrees = 2 * RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(half_chord)))
    return kilometres


def within(lat: Degrees, lon: Degrees, area: Area) -> Flags:
    """Whether each place lies in any of the polygons of an area, and in none of its holes."""
    inside = np.zeros(len(lat), np.bool_)
    for rings in area:
        inside |= np.logical_xor.reduce([_crossed(lat, lon, ring) for ring in rings])
    return inside


def _crossed(lat: Degrees, lon: Degrees, ring: Ring) -> Flags:
    """Whether a ray from each place to the east crosses the ring an odd number of times."""
    odd = np.zeros(len(lat), np.bool_)
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if y1 != y2:
            odd ^= ((y1 > lat) != (y2 > lat)) & (lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1)
    return odd
