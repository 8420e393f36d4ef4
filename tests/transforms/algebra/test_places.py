"""Distances on the sphere, and points in areas."""

import numpy as np
import pytest

from transforms.algebra.places import RADIUS_KM, distances, within

SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
HOLE = ((4.0, 4.0), (6.0, 4.0), (6.0, 6.0), (4.0, 6.0))


def inside(lat: float, lon: float, *polygons: tuple[tuple[tuple[float, float], ...], ...]) -> bool:
    return bool(within(np.array([lat]), np.array([lon]), polygons)[0])


def test_a_quarter_of_a_great_circle_is_a_quarter_of_the_girth() -> None:
    assert distances(np.array([0.0]), np.array([0.0]), 90.0, 0.0)[0] == pytest.approx(np.pi / 2 * RADIUS_KM)


def test_the_other_side_of_the_earth_is_half_the_girth_away() -> None:
    assert distances(np.array([0.0]), np.array([0.0]), 0.0, 180.0)[0] == pytest.approx(np.pi * RADIUS_KM)


def test_the_way_over_the_date_line_is_the_short_one() -> None:
    assert distances(np.array([0.0]), np.array([179.5]), 0.0, -179.5)[0] == pytest.approx(np.radians(1) * RADIUS_KM)


def test_a_place_is_no_distance_from_itself() -> None:
    assert distances(np.array([52.52]), np.array([13.4]), 52.52, 13.4)[0] == 0


def test_a_hole_is_not_of_the_area() -> None:
    assert inside(5, 2, (SQUARE, HOLE))
    assert not inside(5, 5, (SQUARE, HOLE))


def test_an_area_is_all_of_its_polygons() -> None:
    far = tuple((lon + 20, lat) for lon, lat in SQUARE)
    assert inside(5, 25, (SQUARE,), (far,))
    assert not inside(5, 15, (SQUARE,), (far,))


def test_an_event_without_coordinates_lies_nowhere() -> None:
    assert not inside(float("nan"), 5, (SQUARE,))
    assert np.isnan(distances(np.array([np.nan]), np.array([5.0]), 0, 0)[0])


@pytest.mark.parametrize(
    ("lat", "lon", "belongs"),
    [(5, 0, True), (5, 10, False), (0, 5, True), (10, 5, False), (0, 0, True), (10, 10, False), (0, 10, False), (10, 0, False)],
)
def test_a_place_on_the_western_or_southern_edge_is_of_an_area_and_one_on_the_others_is_not(
    lat: float, lon: float, belongs: bool
) -> None:
    """So that of two neighbours one has it, and not both."""
    west = tuple((x - 10, y) for x, y in SQUARE)
    assert inside(lat, lon, (SQUARE,)) is belongs
    assert not (inside(lat, lon, (SQUARE,)) and inside(lat, lon, (west,)))


def test_a_slanted_edge_is_crossed_where_it_is() -> None:
    triangle = ((0.0, 5.0), (10.0, 5.0), (0.0, 25.0))
    assert [inside(15, lon, (triangle,)) for lon in (-0.1, 0, 4.9, 5, 5.1)] == [False, True, True, False, False]
    assert [inside(10, lon, (triangle,)) for lon in (7.4, 7.6)] == [True, False]
