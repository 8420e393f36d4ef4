"""Each lint says one sentence at one place, and nothing where the same is meant."""

from pathlib import Path

import pytest

from schemas.definitions.lint import LINTS
from tests.support.linted import FILES, SOURCE, places, segment, warned

AT_WINDOW = "did:\n    event: a\n    window: {}"


def test_a_project_of_good_sense_has_no_warning_but_for_its_missing_files(tmp_path: Path) -> None:
    codes = [f"SEG-08{number:02}" for number in range(4, 15)]
    text = segment("did: {event: order, window: 7d}")
    assert [one for code in codes for one in warned(tmp_path, code, segments__some=text)] == []
    assert len({lint.__name__ for lint in LINTS}) == len(LINTS) == 12


@pytest.mark.parametrize(
    ("window", "far"),
    [("366d", "366d"), ("{between: [400d, 90d]}", "400d"), ("{calendar: {last: 2, unit: year, include_current: false}}", "730d")],
)
def test_a_window_that_is_longer_than_events_count_is_told(tmp_path: Path, window: str, far: str) -> None:
    found = warned(tmp_path, "SEG-0807", segments__some=segment(AT_WINDOW.format(window)))
    assert places(found) == ["segments/some.yaml:6"]
    assert found[0].message == f"{far} back is further than any event counts for `ads`"
    assert found[0].expected == "at most 365d, its `max_lookback`"


@pytest.mark.parametrize("window", ["365d", "lifetime", "{calendar: {last: 2, unit: year}}", "{from: 2020-01-01}"])
def test_a_window_that_events_can_fill_is_not(tmp_path: Path, window: str) -> None:
    assert warned(tmp_path, "SEG-0807", segments__some=segment(AT_WINDOW.format(window))) == []


def test_so_are_lengths_of_operators_populations_and_windows_of_features(tmp_path: Path) -> None:
    stopped = segment("stopped: {event: a, active: 400d, quiet: 7d}", more="population: {active_in: 500d}\n")
    group = FILES["features/orders.yaml"].replace("op: count, windows: [30d]", "op: count, windows: [30d, 370d]")
    found = warned(tmp_path, "SEG-0807", segments__some=stopped, features__orders=group)
    assert places(found) == ["features/orders.yaml:5", "segments/some.yaml:3", "segments/some.yaml:5"]


def test_the_shorter_of_two_bounds_counts(tmp_path: Path) -> None:
    purposes = "purposes:\n  - {id: ads, basis: legitimate_interest, max_lookback: 365d, retention: 100d}\n"
    found = warned(tmp_path, "SEG-0807", purposes=purposes, segments__some=segment(AT_WINDOW.format("101d")))
    assert [one.expected for one in found] == ["at most 100d, its `retention`"]


@pytest.mark.parametrize(
    "when",
    [
        "did_not: {event: a, window: 30d}",
        "not: {did: {event: a}}",
        "did: {event: a, count: '<= 2'}",
        "any: [{did: {event: a}}, {did_not: {event: b}}]",
        "all: [{did_not: {event: a}}, {aggregate: {feature: orders.spend_30d, compare: '< 100'}}]",
        "not: {sequence: {steps: [a, b]}}",
        "lifecycle: {event: a, period: 7d, in: [lost, never]}",
        "last: {event: a, having: n > 1, missing: true}",
    ],
)
def test_a_segment_of_who_never_did_anything_is_told_with_its_remedy(tmp_path: Path, when: str) -> None:
    found = warned(tmp_path, "SEG-0808", segments__some=segment(when))
    assert places(found) == ["segments/some.yaml:3"]
    assert found[0].message == "everybody who never did anything is in `some` as well"
    assert found[0].expected.startswith("population: {active_in: 90d}")


@pytest.mark.parametrize(
    ("when", "more"),
    [
        ("did_not: {event: a}", "population: {active_in: 90d}\n"),
        ("did_not: {event: a}", "publish: false\n"),
        ("all: [{did: {event: b}}, {did_not: {event: a}}]", ""),
        ("all: [{did_not: {event: a}}, {property: {country: = 'DE'}}]", ""),
        ("all: [{did_not: {event: a}}, {bucket: {salt: s, range: [0, 50]}}]", ""),
        ("not: {property: {country: = 'DE'}}", ""),
        ("aggregate: {feature: orders.cat_30d, compare: \"!= 'x'\"}", ""),
        ("trend: {feature: orders.number, this: 7d, vs: 7d, change: <= 0}", ""),
        ("lifecycle: {event: a, period: 7d, in: [lost]}", ""),
    ],
)
def test_one_that_asks_for_something_is_not(tmp_path: Path, when: str, more: str) -> None:
    assert warned(tmp_path, "SEG-0808", segments__some=segment(when, more=more)) == []


LITERAL = {
    "sources__app": SOURCE.format(name="app", event="\"'order'\"") + "properties: {amount: 'decimal(8,2)', cat: string}\n",
    "sources__web": SOURCE.format(name="web", event="\"'visit'\""),
}


def test_an_event_that_no_source_yields_is_told_with_the_nearest(tmp_path: Path) -> None:
    when = "sequence:\n    steps: [visit, {event: [order, oder]}]\n    unless: refund"
    found = warned(tmp_path, "SEG-0809", segments__some=segment(when), **LITERAL)
    assert [(one.line, one.message, one.nearest) for one in found] == [
        (5, "no source yields the event `oder`", "order"),
        (6, "no source yields the event `refund`", ""),
    ]


def test_the_events_of_features_and_of_anchors_too(tmp_path: Path) -> None:
    group = "features: visits\npurpose: ads\nsource: vist\naggregates:\n  - {name: n, op: count, windows: [{since: ordr, as: order}]}\n"
    found = warned(tmp_path, "SEG-0809", features__visits=group, **LITERAL)
    assert [(one.line, one.nearest) for one in found] == [(3, "visit"), (5, "order")]


def test_where_a_source_reads_the_names_from_its_records_nothing_is_known_of_them(tmp_path: Path) -> None:
    assert warned(tmp_path, "SEG-0809", segments__some=segment("did: {event: nobody_does_this}")) == []


SCORED = (
    "source: models\nkind: scores\nfrom: {{files: 'data/scores/*.ndjson'}}\n"
    "fields: {{subject: who, model: {model}, value: p, valid_from: at}}\n"
)


def test_a_model_that_no_source_tells_scores_of_is_told_with_the_nearest(tmp_path: Path) -> None:
    when = "any: [{score: {model: chrun, compare: '> 0.5'}}, {score: {model: churn, compare: '> 0.9'}}]"
    models = SCORED.format(model="\"'churn'\"")
    found = warned(tmp_path, "SEG-0813", segments__some=segment(when), sources__models=models)
    assert [(one.line, one.message, one.nearest) for one in found] == [
        (4, "no source tells scores of the model `chrun`", "churn")
    ]


def test_so_is_every_model_where_there_is_no_source_of_scores(tmp_path: Path) -> None:
    found = warned(tmp_path, "SEG-0813", segments__some=segment("rfm: {model: ranks, in: [loyal]}"))
    assert [(one.line, one.expected) for one in found] == [(4, "a source of `kind: scores`")]


def test_where_the_records_name_the_models_nothing_is_known_of_them(tmp_path: Path) -> None:
    when, models = segment("rfm: {model: ranks, in: [loyal]}"), SCORED.format(model="model")
    assert warned(tmp_path, "SEG-0813", segments__some=when, sources__models=models) == []


def test_a_purpose_without_bounds_of_which_events_count_for_ever_is_told(tmp_path: Path) -> None:
    purposes = "purposes:\n  - {id: other, basis: legitimate_interest}\n  - {id: ads, basis: legitimate_interest}\n"
    found = warned(tmp_path, "SEG-0810", purposes=purposes, segments__some=segment("did: {event: a}"))
    assert [(one.line, one.message) for one in found] == [
        (3, "nothing bounds how far back `ads` looks, and some count events for ever")
    ]
    assert warned(tmp_path, "SEG-0810", purposes=purposes, segments__some=segment("did: {event: a, window: 7d}")) == []
    bounded = purposes.replace("ads, basis: legitimate_interest", "ads, basis: legitimate_interest, retention: 9000d")
    assert warned(tmp_path, "SEG-0810", purposes=bounded, segments__some=segment("did: {event: a}")) == []


def test_a_definition_that_publishes_much_of_every_subject_is_told(tmp_path: Path) -> None:
    group = "features: long\npurpose: ads\nsource: a\naggregates:\n  - {{name: n, op: list, of: cat, n: {}, windows: [7d]}}\n"
    found = warned(tmp_path, "SEG-0811", features__long=group.format(1000))
    assert [(one.line, one.message) for one in found] == [(4, "about 24000 bytes of features for each subject")]
    assert warned(tmp_path, "SEG-0811", features__long=group.format(100)) == []


def test_so_is_one_that_keeps_much_of_every_event(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(11)]
    source = FILES["sources/app.yaml"].replace("{n: int", "{n: int, " + ", ".join(f"{name}: string" for name in names))
    when = f"sequence: {{steps: [a, b], bind: [{', '.join(names)}]}}"
    found = warned(tmp_path, "SEG-0811", sources__app=source, segments__some=segment(when))
    assert [one.message for one in found] == ["about 264 bytes kept of each event"]


def test_two_names_for_one_meaning_are_told(tmp_path: Path) -> None:
    same = {"segments__a": segment("did: {event: a, window: 7d}", "a"), "segments__b": segment("did: {window: 168h, event: [a]}", "b")}
    found = warned(tmp_path, "SEG-0812", **same)
    assert [(f"{one.file}:{one.line}", one.message) for one in found] == [("segments/b.yaml:1", "`b` means the same as `a`")]
    other = {**same, "segments__b": segment("did: {event: a, window: 8d}", "b")}
    assert warned(tmp_path, "SEG-0812", **other) == []


def test_so_are_two_columns_for_one(tmp_path: Path) -> None:
    group = FILES["features/orders.yaml"] + "  - {name: total, op: sum, of: amount, windows: [30d, 60d]}\n"
    found = warned(tmp_path, "SEG-0812", features__orders=group)
    assert [(one.line, one.message) for one in found] == [(8, "`orders.total_30d` means the same as `orders.spend_30d`")]


@pytest.mark.parametrize(("window", "told"), [("7d", ["channel"]), ("{session: {gap: 30m}}", [])])
def test_a_channel_is_of_use_where_sessions_are_told(tmp_path: Path, window: str, told: list[str]) -> None:
    source = SOURCE.format(name="web", event="kind") + "properties: {channel: string}\n"
    found = warned(tmp_path, "SEG-0802", sources__web=source, segments__some=segment(f"did: {{event: order, window: {window}}}"))
    assert [one.message.split("`")[1] for one in found if one.file == "sources/web.yaml"] == told
