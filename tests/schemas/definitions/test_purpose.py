from typing import Any

import pytest
from pydantic import ValidationError

from schemas.definitions.instant import parse_instant
from schemas.definitions.purpose import BEGINNING, Purpose, RegistryForm

LEAST = {"id": "ads", "basis": "consent"}


def read(**more: Any) -> Purpose | None:
    return Purpose.model_validate({**LEAST, **more}, context={"timezone": "Europe/Berlin"})


def test_a_bare_basis_is_that_of_every_jurisdiction() -> None:
    assert read().basis == {"default": "consent"} and read().needs_consent


def test_a_basis_may_differ_by_jurisdiction() -> None:
    assert read(basis={"default": "legitimate_interest", "DE": "consent"}).needs_consent


def test_the_date_of_a_version_is_local() -> None:
    assert read(versions=[{"major": 1, "introduced_at": "2025-01-01"}]).versions == (
        (1, parse_instant("2024-12-31T23:00Z")),
    )


def test_a_version_without_a_date_was_there_from_the_beginning() -> None:
    assert read(versions=[{"major": 1}, {"major": 2, "introduced_at": "2025-01-01"}]).versions[0] == (1, BEGINNING)


@pytest.mark.parametrize(
    "more",
    [
        {"basis": "vital_interest"}, {"basis": {"DE": "consent"}}, {"basis": {}}, {"basis": None}, {"id": "Ads"}, {"min_age": -1}, {"min_age": "16"},
        {"min_age": True}, {"max_lookback": "2y"}, {"max_lookback": 30}, {"max_grant_age": "0d"}, {"channels": ["fax"]}, {"channels": "email"},
        {"on_withdraw": "forget"}, {"purposes": 1}, {"versions": [{"major": 0}]}, {"versions": [{"major": 1}, {"major": 1}]},
        {"versions": [{"major": 2, "introduced_at": "2025-01-01"}, {"major": 3, "introduced_at": "2024-01-01"}]},
    ],
)  # fmt: skip
def test_nothing_else_is_a_purpose(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**more)


def test_a_purpose_is_defined_once() -> None:
    with pytest.raises(ValidationError) as refused:
        RegistryForm.model_validate({"purposes": [LEAST, {"id": "care", "basis": "consent"}, LEAST]})
    assert [(error["type"], error["loc"]) for error in refused.value.errors()] == [("SEG-0300", ("purposes", 2, "id"))]
