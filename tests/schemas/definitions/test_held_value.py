from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.definitions.datatype import DataType
from schemas.definitions.held_value import value_of


@pytest.mark.parametrize(
    ("value", "kind", "held"),
    [("x", "string", "x"), (3, "int", 3), (3, "float", 3.0), (Decimal("0.5"), "float", 0.5), (True, "bool", True), (Decimal("-2.345"), "decimal(5,2)", Decimal("-2.35")),
     ("2026-01-31", "date", date(2026, 1, 31)), ("1970-01-01", "timestamp", 0), (["a", None], "list(string)", ["a", None]), (0, "decimal(3,2)", Decimal("0.00"))],
)  # fmt: skip
def test_a_value_of_its_type_is_held(value: Any, kind: str, held: Any) -> None:
    assert value_of(value, DataType.parse(kind)) == held


@pytest.mark.parametrize(
    ("value", "kind"),
    [(3, "string"), ("3", "int"), (True, "int"), (Decimal("3.0"), "int"), ("true", "bool"), (1, "bool"), (1000, "decimal(3,0)"), (True, "decimal(3,0)"),
     ("soon", "timestamp"), (0, "timestamp"), ("2026-02-30", "date"), ("a", "list(string)"), ([1], "list(string)"), ({"a": 1}, "string")],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(value: Any, kind: str) -> None:
    with pytest.raises(ValueError):
        value_of(value, DataType.parse(kind))
