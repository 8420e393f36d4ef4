from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from pydantic import BaseModel

from schemas.definitions.canonical import canonical, digest


@dataclass(frozen=True)
class Some:
    us: int
    written: str = field(default="", compare=False)


@dataclass(frozen=True)
class Other:
    us: int


class Model(BaseModel):
    a: int
    b: int = 3


def test_what_is_not_compared_has_no_meaning() -> None:
    assert digest(Some(7, "7d")) == digest(Some(7, "1w"))


def test_classes_with_equal_fields_mean_different_things() -> None:
    assert digest(Some(7)) != digest(Other(7))


def test_saying_a_default_is_saying_nothing() -> None:
    assert canonical(Model(a=1, b=3)) == canonical(Model(a=1)) != canonical(Model(a=1, b=4))


def test_equal_numbers_are_one_whatever_their_digits() -> None:
    assert canonical([Decimal("3"), Decimal("3.00"), Decimal("2.50")]) == [3, 3, "2.5"]
    assert canonical(Decimal("0.1234567890123456789012345678901234")) == "0.1234567890123456789012345678901234"


def test_true_is_not_one() -> None:
    assert digest(True) != digest(1)


def test_the_order_of_keys_and_of_sets_does_not_matter() -> None:
    assert digest({"a": 1, "b": {"x", "y"}}) == digest({"b": {"y", "x"}, "a": 1})


def test_the_order_of_a_list_does() -> None:
    assert digest([1, 2]) != digest([2, 1])


def test_what_has_no_canonical_form_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        canonical(object())
