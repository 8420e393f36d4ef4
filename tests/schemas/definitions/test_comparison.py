from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions.comparison import Compare, Comparison, Either, Every, IsNull, Negation
from schemas.definitions.datatype import DataType


def tree(text: str) -> Any:
    return Comparison.parse(text).tree


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (">= 3", Compare(">=", 3)),
        ("<>3", Compare("!=", 3)),
        ("== -2.50", Compare("=", Decimal("-2.50"))),
        ("= 'it''s'", Compare("=", "it's")),
        ("= true", Compare("=", True)),
        ("between 2 and 5", Every((Compare(">=", 2), Compare("<=", 5)))),
        ("IN ('a', 'b')", Either((Compare("=", "a"), Compare("=", "b")))),
        ("in (1)", Compare("=", 1)),
        ("NOT IN (1, 2)", Every((Compare("!=", 1), Compare("!=", 2)))),
        ("is null", IsNull()),
        ("IS NOT NULL", IsNull(negated=True)),
        ("not between 1 and 2", Negation(Every((Compare(">=", 1), Compare("<=", 2))))),
        (">= 1 or < 0 and is not null", Either((Compare(">=", 1), Every((Compare("<", 0), IsNull(True)))))),
        ("(>= 1 or < 0) and != 5", Every((Either((Compare(">=", 1), Compare("<", 0))), Compare("!=", 5)))),
        (
            "between 1 and 2 and != 1.5",
            Every((Every((Compare(">=", 1), Compare("<=", 2))), Compare("!=", Decimal("1.5")))),
        ),
    ],
)
def test_a_comparison_is_a_tree(text: str, found: Any) -> None:
    assert tree(text) == found


@pytest.mark.parametrize(("text", "constant"), [("3", 3), ("'DE'", "DE"), ("true", True), ("-0.5", Decimal("-0.5"))])
def test_a_bare_literal_means_equality(text: str, constant: Any) -> None:
    assert tree(text) == Compare("=", constant)


@pytest.mark.parametrize(
    "text",
    ["", " ", "DE", ">=", ">= x", "between 1", "between 1 and", "in ()", "in (1,)", "in 1", "is", "is not", "3 > 2", "> 3 4", "> 3 or", "or > 3",
     "not", "= 'a", "= \"a\"", ">= 1e5", "= 0x1F", "= 1_000", "> 5%%", ">= (3)", "= null", "> 3; drop table x", "> 3 -- x", "like 'a%'",
     "= 1.2.3", "(> 3", "> 3)", "= 'a\x00'", ">= 3 & < 5", "= ١"],
)  # fmt: skip
def test_nothing_else_is_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"comparison|operator"):
        Comparison.parse(text)


def test_text_without_quotes_is_proposed_with_them() -> None:
    with pytest.raises(ValueError) as refused:
        Comparison.parse("DE")
    assert refused.value.context["expected"] == "= 'DE'"


@pytest.mark.parametrize("text", ["(" * 200 + "> 3" + ")" * 200, "not " * 200 + "> 3", "> 3 or " * 2_000 + "> 3"])
def test_depth_and_length_are_bounded(text: str) -> None:
    with pytest.raises(ValueError, match="deeply|long"):
        Comparison.parse(text)


def test_percent_is_a_fraction() -> None:
    comparison = Comparison.parse("between -30% and 12.5%")
    assert comparison.percent and comparison.constants == (Decimal("-0.3"), Decimal("0.125"))


def test_percent_and_plain_numbers_do_not_mix() -> None:
    with pytest.raises(ValueError, match="percent"):
        Comparison.parse("> 5% and < 3")


def test_digits_beyond_twenty_eight_stay() -> None:
    assert Comparison.parse(f"= {'9' * 38}%").text == f"= {'9' * 38}%"


CONSTANTS = st.one_of(st.integers(-(10**30), 10**30), st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
                      st.text(st.characters(codec="utf-8", exclude_characters="\x00")), st.booleans())  # fmt: skip
LEAVES = st.one_of(
    st.builds(Compare, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), CONSTANTS), st.builds(IsNull, st.booleans())
)


def _branches(below: Any) -> Any:
    several = st.lists(below, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Every, several), st.builds(Either, several), st.builds(Negation, below))


@given(st.recursive(LEAVES, _branches, max_leaves=8))
def test_the_normal_form_means_the_same(condition: Any) -> None:
    text = Comparison(condition).text
    assert Comparison.parse(text).text == text and Comparison.parse(text).constants == Comparison(condition).constants


@pytest.mark.parametrize(
    ("text", "kind"),
    [(">= 3", "int"), (">= 3.5", "int"), ("> 1", "float"), ("= 2", "decimal(5,2)"), ("< 'm'", "string"), ("= true", "bool"),
     (">= '2026-01-31'", "date"), ("> '2026-01-31T10:00Z'", "timestamp"), ("> '2026-01-31'", "timestamp"), ("is null", "list(int)"), ("is null", "bool")],
)  # fmt: skip
def test_constants_that_fit_their_column_pass(text: str, kind: str) -> None:
    Comparison.parse(text).check(DataType.parse(kind))


@pytest.mark.parametrize(
    ("text", "kind"),
    [("= 'a'", "int"), ("= 1", "string"), ("= true", "int"), ("= 1", "bool"), ("> true", "bool"), ("= '2026-02-30'", "date"), ("= 20260131", "date"),
     ("= 'soon'", "timestamp"), ("= 'a'", "list(string)"), ("is null or = 'x'", "decimal(5,2)"), ("> 5%", "string")],
)  # fmt: skip
def test_constants_of_another_type_are_refused(text: str, kind: str) -> None:
    with pytest.raises(ValueError):
        Comparison.parse(text).check(DataType.parse(kind))


def test_constants_are_converted_to_the_terms_of_the_column() -> None:
    assert Comparison.parse(">= '1970-01-02'").for_type(DataType("date")).tree == Compare(">=", 1)
    assert Comparison.parse("not (= '1970-01-01')").for_type(DataType("timestamp"), "Europe/Berlin").constants == (
        -3_600_000_000,
    )
    assert Compare("=", Decimal("1.5")).constant_for(DataType("float")) == Decimal("1.5")
