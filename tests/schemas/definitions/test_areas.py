"""Areas: GeoJSON files of a project."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.definitions.areas import read_areas
from schemas.definitions.reading import Reading
from schemas.definitions.yaml import read_yaml
from tests.support.tiny_language import LANGUAGE

RING = [[13.0, 52.0], [14.0, 52.0], [14.0, 53.0], [13.0, 52.0]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}


def reading(folder: Path, said: Any) -> Reading:
    text = said if isinstance(said, str) else json.dumps(said)
    (folder / "a.geojson").write_text(text)
    made = Reading(folder, LANGUAGE)
    document, _ = read_yaml(b"polygon: a.geojson\n", "segments/s.yaml")
    assert document is not None
    made.areas.append((document, ("polygon",), "a.geojson"))
    return made


@pytest.mark.parametrize(
    ("said", "polygons"),
    [
        (POLYGON, 1),
        ({"type": "MultiPolygon", "coordinates": [[RING], [RING]]}, 2),
        ({"type": "Feature", "properties": {}, "geometry": POLYGON}, 1),
        ({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": POLYGON}] * 3}, 3),
    ],
)
def test_polygons_are_found_however_they_are_wrapped(tmp_path: Path, said: Any, polygons: int) -> None:
    made = reading(tmp_path, said)
    (area,) = read_areas(made).values()
    assert len(area) == polygons
    assert area[0][0][0] == (13.0, 52.0)
    assert not made.problems


@pytest.mark.parametrize(
    "said",
    [
        *("{", "[]", "null", '{"type": "Point", "coordinates": [1, 2]}', '{"type": "FeatureCollection", "features": []}'),
        '{"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}',
        '{"type": "Polygon", "coordinates": [[[], [3, 4], [5, 6]]]}',
        f'{{"type": "Polygon", "coordinates": [[[{10**400}, 2], [3, 4], [5, 6]]]}}',
        '{"type": "Polygon", "coordinates": [[[1, 200], [3, 4], [5, 6]]]}',
        '{"type": "Polygon", "coordinates": [[["a", 2], [3, 4], [5, 6]]]}',
    ],
)
def test_a_file_that_is_no_area_is_refused_where_it_is_named(tmp_path: Path, said: str) -> None:
    made = reading(tmp_path, said)
    assert read_areas(made) == {}
    assert [(problem.code, problem.line) for problem in made.problems] == [("SEG-0001", 1)]


def test_an_area_outside_of_the_project_is_refused(tmp_path: Path) -> None:
    made = reading(tmp_path, POLYGON)
    made.areas[0] = (*made.areas[0][:2], "../a.geojson")
    assert read_areas(made) == {}
    assert len(made.problems) == 1
