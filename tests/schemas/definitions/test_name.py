from typing import Any

import pytest

from schemas.definitions.name import is_name, parse_name


@pytest.mark.parametrize("name", ["a", "cart_abandoners", "a1_", "x" * 63])
def test_a_name_is_small_letters_digits_and_underscores(name: str) -> None:
    assert parse_name(name) == name
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "A", "1a", "_a", "a-b", "a b", "ä", "a\n", "a.b", "x" * 64, None, 3, True, ["a"], 'a"; drop table x', "a\x00"],
)
def test_nothing_else_is_a_name(name: Any) -> None:
    with pytest.raises(ValueError, match="no such name"):
        parse_name(name)
    assert not isinstance(name, str) or not is_name(name)


def test_where_no_name_is_like_it_none_is_proposed() -> None:
    with pytest.raises(ValueError) as refused:
        parse_name("123")
    assert refused.value.context["nearest"] == ""


def test_a_proper_spelling_is_proposed() -> None:
    with pytest.raises(ValueError) as refused:
        parse_name("Cart Abandoners!")
    assert refused.value.context["nearest"] == "cart_abandoners"
