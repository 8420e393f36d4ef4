from pathlib import Path

import pytest

from tests.support.linted import places, segment, warned

WEEK = "window: 7d"


def said(folder: Path, when: str) -> list[str]:
    found = warned(folder, "SEG-0806", segments__some=segment(when))
    assert places(found) in ([], ["segments/some.yaml:4"])
    return [one.message for one in found]


@pytest.mark.parametrize(
    "when",
    [
        f"all: [{{did: {{event: a, count: '>= 3', {WEEK}}}}}, {{did_not: {{event: a, {WEEK}}}}}]",
        "all: [{did: {event: a, count: '>= 3'}}, {did: {event: a, count: '< 2'}}, {property: {country: = 'DE'}}]",
        f"all: [{{property: {{vip: true}}}}, {{any: [{{property: {{vip: false}}}}]}}, {{did: {{event: a, {WEEK}}}}}]",
        "all: [{did: {event: a, window: 7d}}, {did_not: {event: a, window: 30d}}]",
        "all: [{did: {event: a, count: '>= 3', window: 30d}}, {did: {event: a, count: '< 3'}}]",
        "all: [{first_time: {event: a, window: 7d}}, {not: {first_time: {event: a, window: 7d}}}]",
        "all: [{property: {country: = 'DE'}}, {property: {country: = 'FR'}}]",
        "all: [{aggregate: {feature: orders.number_30d, compare: '> 3'}}, {aggregate: {feature: orders.number_30d, compare: 3}}]",
        "did: {event: a, count: '< 0'}",
        "did: {event: a, count: '> 2 and < 3'}",
        "property: {country: \"= 'DE' and = 'FR'\"}",
        "property: {age: '< 0'}",
        "property: {birth_date: \"> '2000-01-01' and < '2000-01-02'\"}",
        "aggregate: {feature: orders.number_30d, compare: is null}",
        "all: [{score: {model: m, compare: '> 0.5'}}, {score: {model: m, compare: '< 0.5'}}]",
        "all: [{rfm: {model: m, in: [a]}}, {persona: {model: m, in: [b]}}]",
        "aggregate: {feature: orders.cat_30d, compare: \"> 'a' and < 'a'\"}",
    ],
)
def test_what_can_never_be_true_is_told(tmp_path: Path, when: str) -> None:
    (message,) = said(tmp_path, when)
    assert message.endswith("can never be true: nobody is ever a member")


@pytest.mark.parametrize(
    "when",
    [
        "did: {event: a, count: '>= 0'}",
        f"any: [{{did: {{event: a, {WEEK}}}}}, {{did_not: {{event: a, {WEEK}}}}}]",
        "any: [{did: {event: a, count: '>= 2'}}, {did: {event: a, count: '< 3'}}]",
        "not: {all: [{bucket: {salt: s, range: [0, 5]}}, {not: {bucket: {salt: s, range: [0, 5]}}}]}",
        "property: {country: is null or is not null}",
        "aggregate: {feature: orders.number_30d, compare: '> -1'}",
    ],
)
def test_what_is_always_true_is_told(tmp_path: Path, when: str) -> None:
    (message,) = said(tmp_path, when)
    assert message.endswith("is always true: everybody in the population is a member")


@pytest.mark.parametrize(
    "when",
    [
        f"all: [{{did: {{event: a, {WEEK}}}}}, {{did_not: {{event: a, window: 6d}}}}]",
        "all: [{did: {event: a, count: '<= 1', window: 7d}}, {did: {event: a, count: '>= 5', window: 30d}}]",
        "all: [{did_not: {event: a, window: 7d}}, {did: {event: a, window: 30d}}]",
        f"all: [{{did: {{event: a, {WEEK}}}}}, {{did_not: {{event: b, {WEEK}}}}}]",
        f"all: [{{did: {{event: a, where: n > 1, {WEEK}}}}}, {{did_not: {{event: a, {WEEK}}}}}]",
        "all: [{did: {event: a, count: '>= 2'}}, {did: {event: a, count: '<= 2'}}]",
        "all: [{did: {event: a, distinct: cat, count: '>= 2'}}, {did: {event: a, count: '<= 2'}}]",
        "any: [{property: {vip: true}}, {not: {property: {vip: true}}}]",
        "any: [{property: {score: '> 1.5'}}, {property: {score: '<= 1.5'}}]",
        "property: {score: '> 1 and < 1.01'}",
        "property: {country: \"> 'a' and < 'b'\"}",
        "aggregate: {feature: orders.spend_30d, compare: '< 0'}",
        "all: [{last: {event: a, having: n > 1}}, {not: {last: {event: a, having: n > 1, missing: false}}}]",
    ],
)
def test_what_can_be_true_and_false_is_not(tmp_path: Path, when: str) -> None:
    assert said(tmp_path, when) == []


def test_of_a_condition_within_others_its_own_line_is_told(tmp_path: Path) -> None:
    when = "any:\n    - did: {event: a}\n    - property:\n        country: \"= 'DE' and = 'FR'\""
    (found,) = warned(tmp_path, "SEG-0806", segments__some=segment(when))
    assert (found.line, found.message) == (6, "this `property` can never be true")


def test_where_too_much_is_compared_twice_nothing_is_claimed(tmp_path: Path) -> None:
    parts = [f"{{did: {{event: {name}, count: '{op} 1'}}}}" for name in "abcdefgh" for op in (">", "<")]
    assert said(tmp_path, f"all: [{', '.join(parts)}]") == []
