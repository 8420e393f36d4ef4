from pathlib import Path

import pytest

from tests.support.tiny_language import FILES, problems, read, segment, told


def test_a_feature_is_a_column_for_each_window(tmp_path: Path) -> None:
    columns = read(tmp_path).feature_columns
    assert {name: (column.name, str(column.type)) for name, column in columns.items()} == {
        "buying.orders_7d": ("buying__orders_7d", "int"),
        "buying.orders_lifetime": ("buying__orders_lifetime", "int"),
        "buying.spend_30d": ("buying__spend_30d", "decimal(12,2)"),
        "buying.largest_lifetime": ("buying__largest_lifetime", "decimal(12,2)"),
    }


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ('{did: {event: bought, where: "amout > 1"}}', "SEG-0304 3:37"),
        ("{did: {event: bought, where: 'page = 3'}}", "SEG-0205 3:37"),
        ("{did: {event: bought, where: 'amount'}}", "SEG-0204 3:36"),
        ('{did: {event: bought, where: "lower(source) = event", distinct: pages}}', "SEG-0304 3:71"),
        ("{did: {event: bought, window: {since: {event: x, where: 'nope = 1'}}}}", "SEG-0304 3:64"),
        ("{last: {event: bought, having: 'nope = 1'}}", "SEG-0304 3:39"),
        ("{property: {contry: \"= 'DE'\"}}", "SEG-0305 3:19"),
        ("{property: {country: '= 3'}}", "SEG-0207 3:28"),
        ("{property: {birth_date: \"> '2026-02-30'\"}}", "SEG-0110 3:31"),
        ("{property: {loyal: '> true'}}", "SEG-0207 3:26"),
        ("{property: {age: \"= 'x'\"}}", "SEG-0207 3:24"),
        ("{in_segment: buyrs}", "SEG-0302 3:20"),
        ("{aggregate: {feature: buying.order_7d, compare: '> 1'}}", "SEG-0303 3:29"),
        ("{aggregate: {feature: buying.spend_30d, compare: \"= 'x'\"}}", "SEG-0207 3:56"),
        ("{aggregate: {feature: buying.orders_7d, compare: '> 1', missing: true}}", "SEG-0108 3:63"),
        ("{trend: {feature: buying.order}}", "SEG-0303 3:25"),
        ("{all: [{not: {in_segment: buyrs}}]}", "SEG-0302 3:33"),
    ],
)
def test_a_name_or_a_type_that_is_wrong_is_told_where_it_stands(tmp_path: Path, when: str, found: str) -> None:
    assert told(tmp_path, segments_new=segment(when)) == [found]


@pytest.mark.parametrize(
    "when",
    ["{did: {event: x, where: \"event = 'x' and source = 'clicks' and vip\", distinct: page}}", "{property: {age: '>= 18', country: is null, missing: true}}",
     "{aggregate: {feature: buying.largest_lifetime, compare: '> 1.5', missing: false}}", "{trend: {feature: buying.orders}}", "{in_segment: buyers}",
     "{property: {joined: \"> '2026-01-01'\", score: '> 1', loyal: true}}"],
)  # fmt: skip
def test_what_is_right_passes(tmp_path: Path, when: str) -> None:
    assert told(tmp_path, segments_new=segment(when)) == []


def test_the_nearest_name_is_proposed(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, segments_new=segment("{in_segment: buyrs}"))
    assert (problem.nearest, problem.file) == ("buyers", "segments/new.yaml")


def test_purposes_must_be_registered(tmp_path: Path) -> None:
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", "[ads, addds]")) == ["SEG-0301 2:16"]
    group = FILES["features/buying.yaml"].replace("purpose: ads", "purpose: adz")
    assert told(tmp_path / "other", features_buying=group) == ["SEG-0301 2:10"]


def test_a_segment_that_is_referred_to_serves_no_other_purpose(tmp_path: Path) -> None:
    assert told(tmp_path, segments_new=segment("{in_segment: buyers}", "care")) == ["SEG-0307 3:20"]
    assert told(tmp_path, segments_new=segment("{in_segment: buyers}", "[ads, care]")) == []


def test_a_population_serves_no_other_purpose(tmp_path: Path) -> None:
    more = "population: {in_segment: buyers}\n"
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", "care", more)) == ["SEG-0307 4:26"]


def test_a_feature_serves_no_other_purpose(tmp_path: Path) -> None:
    assert told(tmp_path, segments_new=segment("{aggregate: {feature: buying.orders_7d, compare: '> 1'}}", "care")) == [
        "SEG-0307 3:29"
    ]


def test_a_population_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", more="population: {in_segment: nope}\n")) == [
        "SEG-0302 4:26"
    ]


def test_segments_in_a_circle_are_refused(tmp_path: Path) -> None:
    files = {
        f"segments_{a}": f"segment: {a}\npurpose: ads\nwhen: {{in_segment: {b}}}\n" for a, b in ("ab", "bc", "ca", "dd")
    }
    assert [(one.file, one.code, one.found) for one in problems(tmp_path, **files)] == [
        ("segments/a.yaml", "SEG-0306", "a -> b -> c -> a"),
        ("segments/d.yaml", "SEG-0306", "d -> d"),
    ]


def test_segments_are_ordered_with_what_they_refer_to_first(tmp_path: Path) -> None:
    files = {f"segments_{a}": f"segment: {a}\npurpose: ads\nwhen: {{in_segment: {b}}}\n" for a, b in ("ab", "bc")}
    assert read(tmp_path, segments_c="segment: c\npurpose: ads\nwhen: {did: {event: x}}\n", **files).order == (
        "buyers",
        "c",
        "b",
        "a",
    )


def test_a_purpose_on_consent_needs_a_source_of_consents(tmp_path: Path) -> None:
    assert told(tmp_path, sources_consents="") == ["SEG-0308 2:22"]
    legitimate = "purposes: [{id: ads, basis: legitimate_interest}]\n"
    assert told(tmp_path / "other", sources_consents="", purposes=legitimate) == []


def test_the_registry_of_purposes_is_needed(tmp_path: Path) -> None:
    assert told(tmp_path, purposes="") == ["SEG-0402 0:0"]


def test_a_property_has_one_type_in_all_sources(tmp_path: Path) -> None:
    more = FILES["sources/clicks.yaml"].replace("source: clicks", "source: more").replace("items: int", "items: string")
    assert told(tmp_path, sources_more=more) == ["SEG-0309 5:60"]


@pytest.mark.parametrize("name", ["event", "subject", "occurred_at", "source", "record_hash"])
def test_a_property_has_no_built_in_name(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, sources_clicks=FILES["sources/clicks.yaml"].replace("page: string", f"{name}: string")) == [
        "SEG-0310 5:39"
    ]


@pytest.mark.parametrize("name", ["age", "missing"])
def test_a_profile_has_no_property_of_a_reserved_name(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, sources_people=FILES["sources/people.yaml"].replace("score:", f"{name}:")) == [
        "SEG-0310 5:49"
    ]


def test_the_date_of_birth_is_a_date(tmp_path: Path) -> None:
    assert told(
        tmp_path, sources_people=FILES["sources/people.yaml"].replace("birth_date: date", "birth_date: string")
    ) == ["SEG-0313 5:43"]


def test_age_follows_from_the_date_of_birth(tmp_path: Path) -> None:
    people = FILES["sources/people.yaml"].replace("birth_date: date, ", "")
    assert told(tmp_path, sources_people=people, segments_new=segment("{property: {age: '>= 18'}}")) == [
        "SEG-0305 3:19"
    ]


def test_a_name_is_defined_once(tmp_path: Path) -> None:
    assert told(tmp_path, segments_new=FILES["segments/buyers.yaml"]) == ["SEG-0300 1:10"]


def test_a_column_is_named_once(tmp_path: Path) -> None:
    group = FILES["features/buying.yaml"]
    assert told(tmp_path, features_buying=group.replace("name: spend", "name: orders").replace("30d", "7d")) == [
        "SEG-0311 5:3"
    ]


def test_an_aggregate_takes_a_column_that_is_there_and_of_a_type_it_takes(tmp_path: Path) -> None:
    group = FILES["features/buying.yaml"]
    assert told(tmp_path, features_buying=group.replace("op: sum, of: amount", "op: sum, of: amout")) == [
        "SEG-0304 6:32"
    ]
    assert told(tmp_path, features_buying=group.replace("op: sum, of: amount", "op: sum, of: lat")) == ["SEG-0208 6:32"]
    assert told(tmp_path, features_buying=group.replace("amount > 0", "amount > '0'")) == ["SEG-0205 3:33"]
