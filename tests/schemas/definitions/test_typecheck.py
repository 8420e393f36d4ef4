import pytest

from schemas.definitions.datatype import DataType
from schemas.definitions.expression import Expression
from schemas.definitions.typecheck import check_condition

COLUMNS = {
    name: DataType.parse(kind)
    for name, kind in {
        "amount": "decimal(12,2)", "items": "int", "lat": "float", "page": "string", "vip": "bool",
        "born": "date", "placed": "timestamp", "words": "list(string)", "counts": "list(int)",
    }.items()
}  # fmt: skip


def check(text: str) -> None:
    check_condition(Expression.parse(text), COLUMNS)


@pytest.mark.parametrize(
    "text",
    ["amount >= 30", "items = 3.0 and lat < 5", "page in ('a', 'b')", "vip", "not vip", "vip = true", "page is null", "items = null", "null", "vip and null",
     "born >= '2026-01-31'", "placed between '2026-01-01T00:00Z' and '2026-02-01T00:00+01:00'", "born = born", "lower(page) = 'x'", "length(page) > 3",
     "substr(page, 1, items) = 'a'", "abs(-items) = 1", "round(amount, 1) = 2.5", "coalesce(items, 0) < amount", "nullif(page, 'x') is null",
     "contains(page, 'x')", "contains(words, 'x')", "contains(counts, 3)", "starts_with(page, 'x')", "words = words", "coalesce(null, items) = 1",
     "(amount > 1) = vip", "'a' < 'b'", "coalesce(placed, '2026-01-01T00:00Z') > placed"],
)  # fmt: skip
def test_like_is_compared_with_like(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("amount = '30'", "SEG-0205"),
        ("page = 3", "SEG-0205"),
        ("page = vip", "SEG-0205"),
        ("vip = 1", "SEG-0205"),
        ("vip < true", "SEG-0205"),
        ("born = placed", "SEG-0205"),
        ("born >= 20260131", "SEG-0205"),
        ("born = page", "SEG-0205"),
        ("born = '2026-02-30'", "SEG-0110"),
        ("placed > '2026-01-01'", "SEG-0207"),
        ("page in ('a', 1)", "SEG-0205"),
        ("items between 1 and 'x'", "SEG-0205"),
        ("words = 'x'", "SEG-0205"),
        ("words < words", "SEG-0205"),
        ("contains(counts, 'x')", "SEG-0205"),
        ("contains(items, 3)", "SEG-0205"),
        ("lower(items) = 'x'", "SEG-0205"),
        ("length(words) = 1", "SEG-0205"),
        ("substr(page, '1') = 'a'", "SEG-0205"),
        ("abs(page) = 1", "SEG-0205"),
        ("coalesce(items, 'x') = 1", "SEG-0205"),
        ("items", "SEG-0204"),
        ("page", "SEG-0204"),
        ("lower(page)", "SEG-0204"),
        ("items and vip", "SEG-0205"),
        ("not page", "SEG-0205"),
        ("-page = 1", "SEG-0205"),
        ("amout > 1", "SEG-0304"),
    ],
)
def test_what_is_unlike_is_refused(text: str, code: str) -> None:
    with pytest.raises(ValueError) as refused:
        check(text)
    assert refused.value.type == code


def test_an_unknown_property_is_named_with_the_nearest_and_its_place() -> None:
    with pytest.raises(ValueError) as refused:
        check("vip and amout > 1")
    assert (refused.value.context["nearest"], refused.value.context["offset"]) == ("amount", 8)


def test_nested_comparisons_cost_no_more_than_their_length() -> None:
    check("(" * 15 + "items < 1" + ") = vip" * 15)
