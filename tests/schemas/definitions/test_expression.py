import pickle

import pytest
from pydantic_core import PydanticCustomError

from schemas.definitions.expression import Expression


def sql(text: str) -> str | None:
    return Expression.parse(text).sql


def field(text: str) -> Expression | None:
    return Expression.parse_field(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("value >= 30", '("value" >= 30)'),
        ("a = 1 or b = 2 and c = 3", '(("a" = 1) OR (("b" = 2) AND ("c" = 3)))'),
        ("not a = 1 and b", '((NOT ("a" = 1)) AND "b")'),
        ("a != 1 and a <> 2 and a == 3", '(("a" <> 1) AND ("a" <> 2) AND ("a" = 3))'),
        ("a in ('x', 'it''s')", "(\"a\" IN ('x', 'it''s'))"),
        ("a not in (1)", '(NOT ("a" IN (1)))'),
        ("a between 1 and 2 or b", '(("a" BETWEEN 1 AND 2) OR "b")'),
        ("a is not null and b is null", '(("a" IS NOT NULL) AND ("b" IS NULL))'),
        ("LOWER(a) = 'x'", "(lower(\"a\") = 'x')"),
        ("coalesce(a, -1) < .5", '(coalesce("a", (-1)) < 0.5)'),
        ("\"order\" = 'x' -- said", "(\"order\" = 'x')"),
        ('"a""b" = TRUE', '("a""b" = TRUE)'),
        ("current_date > d", '("current_date" > "d")'),
    ],
)
def test_a_condition_is_written_again_with_every_name_quoted(text: str, written: str) -> None:
    assert sql(text) == written


def test_what_it_reads_is_known() -> None:
    assert Expression.parse("lower(a) = b or c is null").columns == {"a", "b", "c"}


@pytest.mark.parametrize(
    "text",
    ["", " ", "a >", "a = 1; drop table x", "select 1", "(select 1) = 1", "a in (select 1)", "exists (select 1)", "a = 1 = 2", "a < b < c", "foo(a)",
     "now() > a", "random() < 1", "read_csv('x')", "getenv('HOME') = a", "lower()", "lower(a, b)", "lower(distinct a)", "lower(a) over ()",
     "lower(a) filter (where b)", "count(*)", "*", "a.b = 1", "a::int = 1", "cast(a as int) = 1", "a + 1 = 2", "a || 'x' = b", "a like 'x'",
     "a ~ 'x'", "a between symmetric 1 and 2", "a is true", "a is distinct from b", "case when a then b end", "interval 1 day", "date '2020-01-01' = a",
     "a[1] = 2", "[1] = a", "{x: 1} = a", "(a, b) = c", "a -> b", "lambda x: x", "a collate x", "a at time zone 'x'", "$1 = a", "? = a", "@x = a",
     "e'x' = a", "$$x$$ = a", "x'00' = a", "a = 1e3", "1 = 1 union select 1", "a = :x", "columns(*) = 1", "a = 'x", "a = \"x", "struct_pack(a := 1) = b",
     "a = '\x00'", "a = '\ud800'", "if(a, b, c)", "try_cast(a as int) = 1", "a and", "a = 1 b = 2", "lower(a order by b) = 'x'", "\"\" = 1",
     "x.lower() = 'a'", "a = ALL(b)", "a = ANY(b)", "#1 = a", "a glob 'x'", "a similar to 'x'", "999999999999999999999999999999999999999 = a"],
)  # fmt: skip
def test_nothing_else_is_a_condition(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        sql(text)
    assert refused.value.type.startswith("SEG-02")


@pytest.mark.parametrize(
    "text",
    ["(" * 300 + "a" + ")" * 300, "not " * 300 + "a", "lower(" * 300 + "a" + ")" * 300, "a" * 5_000, "-" * 4_000 + "1"],
)
def test_depth_and_length_are_bounded(text: str) -> None:
    with pytest.raises(ValueError):
        sql(text)


def test_a_long_chain_is_not_deep() -> None:
    assert Expression.parse(" or ".join(f"a = {n}" for n in range(300))).columns == {"a"}


def test_a_nearly_right_function_is_proposed_where_it_stands() -> None:
    with pytest.raises(ValueError) as refused:
        sql("a = 1 and start_with(b, 'x')")
    assert refused.value.context["nearest"] == "starts_with"


def test_the_offset_of_a_mistake_is_that_of_its_first_token() -> None:
    with pytest.raises(ValueError) as refused:
        sql("a = 1 and b like 'x'")
    assert refused.value.context["offset"] == 10


@pytest.mark.parametrize(
    ("text", "written", "paths"),
    [
        ("customer.id", '"customer.id"', ("customer.id",)),
        ("a.b.c.d.e.f", '"a.b.c.d.e.f"', ("a.b.c.d.e.f",)),
        ("'order_completed'", "'order_completed'", ()),
        ("cast(cents as decimal(12,2)) / 100", '(CAST("cents" AS DECIMAL(12,2)) / 100)', ("cents",)),
        ("cast(x as int)", 'CAST("x" AS BIGINT)', ("x",)),
        ("cast(x as float)", 'CAST("x" AS DOUBLE)', ("x",)),
        ("cast(x as timestamp)", 'CAST("x" AS TIMESTAMP WITH TIME ZONE)', ("x",)),
        ("concat(a, '-', b.c)", 'concat("a", \'-\', "b.c")', ("a", "b.c")),
        ("case when a = 'x' then b else 'y' end", "(CASE WHEN (\"a\" = 'x') THEN \"b\" ELSE 'y' END)", ("a", "b")),
        ("case a when 'x' then 1 end", "(CASE \"a\" WHEN 'x' THEN 1 END)", ("a",)),
        ("a + b * c - d % 2", '(("a" + ("b" * "c")) - ("d" % 2))', ("a", "b", "c", "d")),
        ('"My Column"', '"My Column"', ("My Column",)),
    ],
)
def test_a_field_may_compute_over_the_raw_record(text: str, written: str, paths: tuple[str, ...]) -> None:
    assert (field(text).sql, field(text).paths) == (written, paths)


@pytest.mark.parametrize(
    "text",
    ["cast(a as struct(b int))", "cast(a as int[])", "cast(a as blob)", "cast(a as date format 'x')", "try_cast(a as int)", "a || b", "a ->> 'b'",
     "now()", "(select 1)", "a.*", "cast(a as decimal(99,2))", "a ** 2", "a // 2", "a & 1", "a.b()", "a[0]"],
)  # fmt: skip
def test_a_field_may_not_do_more(text: str) -> None:
    with pytest.raises(ValueError):
        field(text)


def test_expressions_are_equal_by_what_they_say_and_travel() -> None:
    assert Expression.parse("a=1") == Expression.parse("a = 1")
    assert pickle.loads(pickle.dumps(Expression.parse("a = 1"))) == Expression.parse("a = 1")
    assert len({Expression.parse("a=1"), Expression.parse("a  =  1")}) == 1


@pytest.mark.parametrize(
    ("text", "at"), [("page = 'abc", 7), ("a = 'it''s' and b = 'c", 20), ('"a = 1', 0), ("a = 'x' or b = '\"", 15)]
)
def test_a_quote_that_is_not_closed_is_told_where_it_opens(text: str, at: int) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        Expression.parse(text)
    assert "is not closed" in str(refused.value)
    assert (refused.value.context or {})["offset"] == at
