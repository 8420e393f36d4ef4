"""Areas: the polygons of a GeoJSON file inside the project; their corners belong to the definitions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.definitions.paths import inside
from schemas.definitions.problems import refused
from schemas.definitions.reading import Reading
from schemas.definitions.refusal import refuse, show

Ring = tuple[tuple[float, float], ...]
Area = tuple[tuple[Ring, ...], ...]
"""Polygons, each its outer ring and then its holes; corners are (longitude, latitude) in degrees."""

_EXPECTED = "GeoJSON: a Polygon or MultiPolygon, alone, as a Feature or in a FeatureCollection"


def read_areas(reading: Reading) -> dict[str, Area]:
    """Every area that a segment names, by its file."""
    areas: dict[str, Area] = {}
    for document, path, file in reading.areas:
        if file in areas:
            continue
        try:
            areas[file] = _area(inside(reading.root, file), file)
        except ValueError as error:
            reading.problems.append(refused(error, document, path))
    return areas


def _area(path: Path, file: str) -> Area:
    if not path.is_file():
        raise refuse("SEG-0402", f"the area `{show(file)}` does not exist", expected="a GeoJSON file of the project")
    try:
        polygons = tuple(_polygons(json.loads(path.read_text(encoding="utf-8-sig"))))
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, IndexError, TypeError, OverflowError, RecursionError):
        raise refuse("SEG-0001", f"the area `{show(file)}` can not be read", expected=_EXPECTED) from None
    if not polygons:
        raise refuse("SEG-0001", f"the area `{show(file)}` has no polygon", expected=_EXPECTED)
    return polygons


def _polygons(said: Any) -> Iterator[tuple[Ring, ...]]:
    match said["type"]:
        case "FeatureCollection":
            for feature in said["features"]:
                yield from _polygons(feature)
        case "Feature":
            yield from _polygons(said["geometry"])
        case "Polygon":
            yield tuple(map(_ring, said["coordinates"]))
        case "MultiPolygon":
            for rings in said["coordinates"]:
                yield tuple(map(_ring, rings))
        case _:
            raise KeyError(said["type"])


def _ring(corners: Any) -> Ring:
    ring = tuple((_degrees(corner[0]), _degrees(corner[1])) for corner in corners)
    if len(ring) < 3 or not all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in ring):
        raise refuse("SEG-0001", "no ring of an area", expected="at least three corners, [longitude, latitude] in degrees")
    return ring


def _degrees(said: Any) -> float:
    if not isinstance(said, int | float):
        raise TypeError(said)
    return float(said)
