from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.definitions.expression import Expression
from schemas.definitions.reference import AnyEventReference, EventReference, References

REFERENCE: TypeAdapter[EventReference] = TypeAdapter(AnyEventReference)
read = REFERENCE.validate_python


@pytest.mark.parametrize(
    ("value", "events"),
    [
        ("bought", ("bought",)),
        ("any", None),
        ({"event": "Product Viewed"}, ("Product Viewed",)),
        ({"event": ["b", "a"]}, ("a", "b")),
        ({"event": "any"}, None),
    ],
)
def test_events_are_named_one_by_one_or_all_at_once(value: dict[str, Any] | str, events: tuple[str, ...] | None) -> None:
    assert read(value) == EventReference(events)


def test_a_condition_narrows_them() -> None:
    reference = read({"event": "bought", "where": "amount > 3"})
    assert reference == EventReference(("bought",), Expression.parse("amount > 3")) and reference.columns == {"amount"}


@pytest.mark.parametrize(
    "value", ["", " ", 3, None, True, [], ["a"], {}, {"where": "a"}, {"event": []}, {"event": ["a", "a"]}, {"event": ["a", "any"]}, {"event": 3},
              {"event": "a", "were": "b"}, {"event": "a", "where": "b >"}, {"event": "x" * 600}]
)  # fmt: skip
def test_nothing_else_is_a_reference(value: Any) -> None:
    with pytest.raises(ValidationError):
        read(value)


def test_references_are_put_together() -> None:
    both = References(segments=("a",)) + References(segments=("b",), features=("g.f",))
    assert both == References(segments=("a", "b"), features=("g.f",))
