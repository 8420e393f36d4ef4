from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.definitions.duration import UNITS
from schemas.definitions.segment import ActiveIn, AnyPopulation, InSegment, KnownSubjects, SegmentForm
from tests.support.tiny_language import LANGUAGE

POPULATION = TypeAdapter(AnyPopulation)
LEAST = {"segment": "buyers", "purpose": "ads", "when": {"did": {"event": "bought"}}}


def read(**more: Any) -> SegmentForm | None:
    return SegmentForm.model_validate({**LEAST, **more}, context=LANGUAGE.context("UTC"))


@pytest.mark.parametrize(
    ("value", "population"),
    [
        ("known_subjects", KnownSubjects()),
        ({"active_in": "90d"}, ActiveIn(90 * UNITS["d"])),
        ({"in_segment": "vips"}, InSegment("vips")),
    ],
)
def test_a_population_is_read(value: dict[str, Any] | str, population: Any) -> None:
    assert POPULATION.validate_python(value) == population


@pytest.mark.parametrize(
    "value",
    [
        "everyone",
        None,
        {},
        {"active_in": "0d"},
        {"active_in": 90},
        {"active_in": "90d", "in_segment": "a"},
        {"in_segment": "A"},
        {"x": 1},
    ],
)
def test_nothing_else_is_a_population(value: dict[str, Any] | str | None) -> None:
    with pytest.raises(ValidationError):
        POPULATION.validate_python(value)


def test_purposes_are_one_or_several_in_one_order() -> None:
    assert read().purpose == ("ads",) and read(purpose=["care", "ads"]).purpose == ("ads", "care")


@pytest.mark.parametrize(
    "more",
    [
        {"segment": "Buyers"}, {"purpose": []}, {"purpose": ["ads", "ads"]}, {"purpose": None}, {"publish": "no"}, {"publish": 0}, {"tags": "growth"},
        {"tags": [""]}, {"tags": [3]}, {"when": None}, {"expectations": {"size": "many"}}, {"expectations": {"size": ">= 1%"}}, {"expectations": {"sise": ">= 1"}},
        {"tests": [{"name": "a"}]}, {"tests": {}}, {"whenn": 1}, {"description": 3}, {"meaning": "x"}, {"file": "x"},
    ],
)  # fmt: skip
def test_nothing_else_is_a_segment(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**more)


def test_a_change_is_expected_in_percent() -> None:
    assert read(expectations={"size": ">= 100", "change": "between -30% and 50%"}).expectations.change.percent
