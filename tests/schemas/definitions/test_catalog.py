import pytest

from schemas.definitions.catalog import read_project
from schemas.errors import DefinitionErrors
from tests.support.tiny_language import FILES, LANGUAGE, problems, read, segment, told, write


def test_a_project_without_a_mistake_is_read(tmp_path):
    project = read(tmp_path)
    assert (list(project.segments), list(project.features), list(project.purposes)) == (
        ["buyers"],
        ["buying"],
        ["ads", "care"],
    )
    assert (
        str(project.event_columns["amount"]) == "decimal(12,2)" and str(project.profile_columns["birth_date"]) == "date"
    )


def test_a_feature_is_a_column_for_each_window(tmp_path):
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
def test_a_name_or_a_type_that_is_wrong_is_told_where_it_stands(tmp_path, when, found):
    assert told(tmp_path, segments_new=segment(when)) == [found]


@pytest.mark.parametrize(
    "when",
    ["{did: {event: x, where: \"event = 'x' and source = 'clicks' and vip\", distinct: page}}", "{property: {age: '>= 18', country: is null, missing: true}}",
     "{aggregate: {feature: buying.largest_lifetime, compare: '> 1.5', missing: false}}", "{trend: {feature: buying.orders}}", "{in_segment: buyers}",
     "{property: {joined: \"> '2026-01-01'\", score: '> 1', loyal: true}}"],
)  # fmt: skip
def test_what_is_right_passes(tmp_path, when):
    assert told(tmp_path, segments_new=segment(when)) == []


def test_the_nearest_name_is_proposed(tmp_path):
    (problem,) = problems(tmp_path, segments_new=segment("{in_segment: buyrs}"))
    assert (problem.nearest, problem.file) == ("buyers", "segments/new.yaml")


def test_all_problems_of_all_files_come_in_one_report(tmp_path):
    found = problems(
        tmp_path,
        segue="name: Shop\ntargets: {dev: {warehouse: 'ducklake:w'}}",
        purposes="purposes: [{id: ads, basis: consent}, {id: care, basis: consnt}]",
        sources_more="source: more\nkind: events\nfrom: {files: x.csv}\nfields: {}\n",
        features_more="features: more\npurpose: ads\nsource: {event: x}\naggregates: [{name: a, op: sum, of: lat}]\n",
        segments_new=segment("{did: {event: x, where: 'page = 1'}}"),
        segments_broken="segment: [",
    )
    assert [(one.file, one.code) for one in found] == [
        ("features/more.yaml", "SEG-0208"),
        ("purposes.yaml", "SEG-0103"),
        ("segments/broken.yaml", "SEG-0003"),
        ("segments/new.yaml", "SEG-0205"),
        ("segue.yaml", "SEG-0104"),
        ("sources/more.yaml", "SEG-0408"),
        ("sources/more.yaml", "SEG-0408"),
        ("sources/more.yaml", "SEG-0408"),
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"segments_buyers": "segment: buyers\npurpose: ads\nwhen: {nope: 1}\n", "segments_new": segment("{in_segment: buyers}")},
        {"features_buying": FILES["features/buying.yaml"].replace("windows: [7d", "windows: [7x"), "segments_new": segment("{aggregate: {feature: buying.orders_7d, compare: '> 1'}}")},
        {"sources_clicks": FILES["sources/clicks.yaml"].replace("kind: events", "kind: evnts"), "segments_new": segment("{did: {event: x, where: 'amount > 1'}}")},
        {"sources_people": FILES["sources/people.yaml"] + "payload: never\n", "segments_new": segment("{property: {country: is null}}")},
        {"purposes": "purposes: [{id: ads, basis: never}]"},
    ],
)  # fmt: skip
def test_a_definition_that_is_broken_is_told_once_and_not_by_those_that_name_it(tmp_path, files):
    assert len(problems(tmp_path, **files)) == 1


def test_purposes_must_be_registered(tmp_path):
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", "[ads, addds]")) == ["SEG-0301 2:16"]
    group = FILES["features/buying.yaml"].replace("purpose: ads", "purpose: adz")
    assert told(tmp_path / "other", features_buying=group) == ["SEG-0301 2:10"]


def test_a_segment_that_is_referred_to_serves_no_other_purpose(tmp_path):
    assert told(tmp_path, segments_new=segment("{in_segment: buyers}", "care")) == ["SEG-0307 3:20"]
    assert told(tmp_path, segments_new=segment("{in_segment: buyers}", "[ads, care]")) == []


def test_a_population_serves_no_other_purpose(tmp_path):
    more = "population: {in_segment: buyers}\n"
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", "care", more)) == ["SEG-0307 4:26"]


def test_a_feature_serves_no_other_purpose(tmp_path):
    assert told(tmp_path, segments_new=segment("{aggregate: {feature: buying.orders_7d, compare: '> 1'}}", "care")) == [
        "SEG-0307 3:29"
    ]


def test_a_population_that_is_not_there_is_refused(tmp_path):
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", more="population: {in_segment: nope}\n")) == [
        "SEG-0302 4:26"
    ]


def test_segments_in_a_circle_are_refused(tmp_path):
    files = {
        f"segments_{a}": f"segment: {a}\npurpose: ads\nwhen: {{in_segment: {b}}}\n" for a, b in ("ab", "bc", "ca", "dd")
    }
    assert [(one.file, one.code, one.found) for one in problems(tmp_path, **files)] == [
        ("segments/a.yaml", "SEG-0306", "a -> b -> c -> a"),
        ("segments/d.yaml", "SEG-0306", "d -> d"),
    ]


def test_segments_are_ordered_with_what_they_refer_to_first(tmp_path):
    files = {f"segments_{a}": f"segment: {a}\npurpose: ads\nwhen: {{in_segment: {b}}}\n" for a, b in ("ab", "bc")}
    assert read(tmp_path, segments_c="segment: c\npurpose: ads\nwhen: {did: {event: x}}\n", **files).order == (
        "buyers",
        "c",
        "b",
        "a",
    )


def test_a_purpose_on_consent_needs_a_source_of_consents(tmp_path):
    assert told(tmp_path, sources_consents="") == ["SEG-0308 2:22"]
    legitimate = "purposes: [{id: ads, basis: legitimate_interest}]\n"
    assert told(tmp_path / "other", sources_consents="", purposes=legitimate) == []


def test_the_registry_of_purposes_is_needed(tmp_path):
    assert told(tmp_path, purposes="") == ["SEG-0402 0:0"]


def test_a_property_has_one_type_in_all_sources(tmp_path):
    more = FILES["sources/clicks.yaml"].replace("source: clicks", "source: more").replace("items: int", "items: string")
    assert told(tmp_path, sources_more=more) == ["SEG-0309 5:60"]


@pytest.mark.parametrize("name", ["event", "subject", "occurred_at", "source", "record_hash"])
def test_a_property_has_no_built_in_name(tmp_path, name):
    assert told(tmp_path, sources_clicks=FILES["sources/clicks.yaml"].replace("page: string", f"{name}: string")) == [
        "SEG-0310 5:39"
    ]


@pytest.mark.parametrize("name", ["age", "missing"])
def test_a_profile_has_no_property_of_a_reserved_name(tmp_path, name):
    assert told(tmp_path, sources_people=FILES["sources/people.yaml"].replace("score:", f"{name}:")) == [
        "SEG-0310 5:49"
    ]


def test_the_date_of_birth_is_a_date(tmp_path):
    assert told(
        tmp_path, sources_people=FILES["sources/people.yaml"].replace("birth_date: date", "birth_date: string")
    ) == ["SEG-0313 5:43"]


def test_age_follows_from_the_date_of_birth(tmp_path):
    people = FILES["sources/people.yaml"].replace("birth_date: date, ", "")
    assert told(tmp_path, sources_people=people, segments_new=segment("{property: {age: '>= 18'}}")) == [
        "SEG-0305 3:19"
    ]


def test_a_name_is_defined_once(tmp_path):
    assert told(tmp_path, segments_new=FILES["segments/buyers.yaml"]) == ["SEG-0300 1:10"]


def test_a_column_is_named_once(tmp_path):
    group = FILES["features/buying.yaml"]
    assert told(tmp_path, features_buying=group.replace("name: spend", "name: orders").replace("30d", "7d")) == [
        "SEG-0311 5:3"
    ]


def test_an_aggregate_takes_a_column_that_is_there_and_of_a_type_it_takes(tmp_path):
    group = FILES["features/buying.yaml"]
    assert told(tmp_path, features_buying=group.replace("op: sum, of: amount", "op: sum, of: amout")) == [
        "SEG-0304 6:32"
    ]
    assert told(tmp_path, features_buying=group.replace("op: sum, of: amount", "op: sum, of: lat")) == ["SEG-0208 6:32"]
    assert told(tmp_path, features_buying=group.replace("amount > 0", "amount > '0'")) == ["SEG-0205 3:33"]


def test_a_pattern_without_files_is_a_warning(tmp_path):
    warnings = read(tmp_path).warnings
    assert [(one.file, one.severity) for one in warnings if one.code == "SEG-0801"] == [
        ("sources/clicks.yaml", "warning"), ("sources/consents.yaml", "warning"), ("sources/people.yaml", "warning"),
    ]  # fmt: skip
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "people.csv").write_text("id,at\n")
    assert "sources/people.yaml" not in [one.file for one in read(tmp_path).warnings if one.code == "SEG-0801"]


def test_a_property_that_nothing_uses_is_a_warning(tmp_path):
    unused = [
        one.message
        for one in read(tmp_path, segments_new=segment("{did: {event: x, where: vip, distinct: page}}")).warnings
        if one.code == "SEG-0802"
    ]
    assert [text.split("`")[1] for text in unused] == [
        "items",
        "lat",
        "placed",
        "born",
        "words",
        "score",
        "joined",
        "loyal",
    ]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ("/etc/passwd.csv", "SEG-0401"),
        ("../x.csv", "SEG-0401"),
        ("data/x.txt", "SEG-0407"),
        ("data/*", "SEG-0407"),
        ("data/x.csv.bz2", "SEG-0407"),
    ],
)
def test_files_lie_in_the_project_and_are_of_a_format_that_is_read(tmp_path, files, code):
    clicks = FILES["sources/clicks.yaml"].replace("data/clicks/*.ndjson", files)
    assert told(tmp_path, sources_clicks=clicks) == [f"{code} 3:15"]


@pytest.mark.parametrize("files", ["data/x.csv.gz", "data/x.ndjson.zst", "data/x.parquet", "gs://bucket/x.csv"])
def test_files_may_be_compressed_or_elsewhere(tmp_path, files):
    assert told(tmp_path, sources_clicks=FILES["sources/clicks.yaml"].replace("data/clicks/*.ndjson", files)) == []


def test_a_declared_root_may_be_read(tmp_path):
    settings = FILES["segue.yaml"] + f"roots: [{tmp_path / 'lake'}]\n"
    clicks = FILES["sources/clicks.yaml"].replace("data/clicks/*.ndjson", f"{tmp_path / 'lake'}/x.csv")
    assert told(tmp_path / "shop", segue=settings, sources_clicks=clicks) == []


def test_a_linked_definition_is_not_followed(tmp_path):
    write(tmp_path / "shop")
    (tmp_path / "outside.yaml").write_text(segment("{did: {event: x}}"))
    (tmp_path / "shop" / "segments" / "new.yaml").symlink_to(tmp_path / "outside.yaml")
    assert told(tmp_path / "shop") == ["SEG-0403 0:0"]


LOOKUP = (
    "source: products\nkind: lookup\nfrom: {files: data/products.csv}\nkey: id\ncolumns: {brand: string, size: int}\n"
)
TAKING = FILES["sources/clicks.yaml"] + "lookups: {products: {on: item.id, take: [brand]}}\n"


def test_columns_of_a_lookup_are_properties_of_those_who_take_them(tmp_path):
    project = read(
        tmp_path,
        sources_products=LOOKUP,
        sources_clicks=TAKING,
        segments_new=segment("{did: {event: x, where: \"brand = 'a'\"}}"),
    )
    assert str(project.event_columns["brand"]) == "string" and "size" not in project.event_columns


@pytest.mark.parametrize(
    ("taking", "found"),
    [
        (TAKING.replace("products:", "product:"), "SEG-0312 7:11"),
        (TAKING.replace("[brand]", "[brnd]"), "SEG-0410 7:42"),
        (TAKING.replace("[brand]", "[]"), "SEG-0115 7:41"),
        (TAKING.replace("on: item.id", "on: lower(item)"), "SEG-0410 7:26"),
        (TAKING.replace("page: string", "brand: string"), "SEG-0311 7:42"),
    ],
)
def test_a_lookup_that_can_not_be_used_is_told_where_it_is_used(tmp_path, taking, found):
    assert told(tmp_path, sources_products=LOOKUP, sources_clicks=taking) == [found]


def test_stories_use_properties_that_are_there_with_values_that_fit(tmp_path):
    story = "tests:\n  - name: a\n    profile: {contry: DE}\n    events: [[0m, x, {amount: lots}], {at: 1m, event: x, pge: y}]\n    expect: [{at: 1m, member: true}]\n"
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", more=story)) == [
        "SEG-0304 6:15",
        "SEG-0501 7:31",
        "SEG-0304 7:58",
    ]


def test_a_story_speaks_of_the_segments_purposes(tmp_path):
    story = "tests: [{name: a, consent: [{at: 0m, action: GRANT, purpose: care}], expect: [{at: 1m, member: true}]}]\n"
    assert told(tmp_path, segments_new=segment("{did: {event: x}}", more=story)) == ["SEG-0500 4:62"]


def test_models_are_not_read_yet_and_that_is_said(tmp_path):
    write(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "rfm.yaml").write_text("model: rfm\n")
    assert [one.file for one in read(tmp_path).warnings if one.code == "SEG-0803"] == ["models/rfm.yaml"]


def test_a_report_shows_no_stack(tmp_path):
    write(tmp_path, segments_new=segment("{nope: 1}"))
    with pytest.raises(DefinitionErrors) as refused:
        read_project(tmp_path, LANGUAGE, environment={})
    assert str(refused.value).startswith("segments/new.yaml:3:8: SEG-0106 no operator `nope`")
