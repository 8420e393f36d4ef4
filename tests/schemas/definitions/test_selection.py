from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.definitions.lineage import Item
from schemas.definitions.project import Project
from schemas.definitions.selection import NO_PAST, Past, Selection, select
from schemas.errors import CallError, NothingSelected
from tests.support.tiny_language import FILES, read, segment


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return read(
        tmp_path,
        segments_new=segment("{all: [{in_segment: buyers}, {did: {event: seen, where: 'items > 1'}}]}", "[ads, care]", "tags: [growth]\n"),
        segments_rich=segment("{aggregate: {feature: buying.spend_30d, compare: '> 3'}}").replace("new", "rich"),
        segments_adult=segment("{property: {age: '>= 18'}}", "care").replace("new", "adult"),
    )  # fmt: skip


def chosen(project: Project, selector: list[str] | str | None, past: Past = NO_PAST) -> list[str] | None:
    found = select(project, selector, past)
    return sorted([*found.segments, *found.features])


def test_without_a_selector_everything_that_is_published_is_meant(project: Project) -> None:
    assert select(project, None) == Selection(("adult", "buyers", "rich", "new"), ("buying",))


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("buyers", ["buyers"]),
        ("buying", ["buying"]),
        ("buying.spend", ["buying"]),
        ("buying.spend_30d", ["buying"]),
        ("buying__spend_30d", ["buying"]),
        ("buyers rich", ["buyers", "rich"]),
        (["buyers", "rich"], ["buyers", "rich"]),
        ("tag:growth", ["new"]),
        ("purpose:care", ["adult", "new"]),
        ("purpose:ads,purpose:care", ["new"]),
        ("consumes:bought", ["buyers", "buying", "rich"]),
        ("consumes:seen", ["new"]),
        ("+new", ["buyers", "new"]),
        ("+rich", ["buying", "rich"]),
        ("buyers+", ["buyers", "new"]),
        ("buying+", ["buying", "rich"]),
        ("care+", ["adult", "new"]),
        ("people+", ["adult"]),
        ("+buyers+", ["buyers", "new"]),
        ("+rich,buying", ["buying"]),
        ("clicks+", ["buyers", "buying", "new", "rich"]),
    ],
)
def test_a_selector_means_definitions(project: Project, selector: list[str] | str, found: list[str]) -> None:
    assert chosen(project, selector) == found


def test_what_a_segment_depends_on_are_also_purposes_and_sources(project: Project) -> None:
    assert select(project, "+rich") == Selection(("rich",), ("buying",), ("ads",), ("clicks",))


@pytest.mark.parametrize(("selector", "code"), [("nope", "SEG-0902"), ("purpose:nope", "SEG-0902"), ("state:new", "SEG-0901"), ("result:success", "SEG-0901"),
                                                ("tags:growth", "SEG-0901"), ("tag:", "SEG-0901"), ("+", "SEG-0902"), ("buyers,", "SEG-0902")])  # fmt: skip
def test_what_is_not_understood_is_a_mistake_of_the_call(project: Project, selector: str, code: str) -> None:
    with pytest.raises(CallError) as refused:
        select(project, selector)
    assert refused.value.code == code


def test_the_nearest_name_is_proposed(project: Project) -> None:
    with pytest.raises(CallError, match="buyrs") as refused:
        select(project, "buyrs")
    assert "`buyers`" in refused.value.hint


@pytest.mark.parametrize("selector", ["tag:nope", "consumes:nope", "buyers,rich"])
def test_an_empty_selection_is_told(project: Project, selector: str) -> None:
    with pytest.raises(NothingSelected):
        select(project, selector)


WITHIN = {
    "segments_new": segment("{all: [{in_segment: buyers}, {did: {event: seen, where: 'items > 1'}}]}", "[ads, care]"),
    "segments_rich": segment("{aggregate: {feature: buying.spend_30d, compare: '> 3'}}").replace("new", "rich"),
    "segments_adult": segment("{property: {age: '>= 18'}}", "care").replace("new", "adult"),
}
FEATURES = FILES["features/buying.yaml"]
CLICKS = FILES["sources/clicks.yaml"]


@pytest.fixture
def published(project: Project) -> Past:
    """All of the project is published as it is."""
    return as_past(project)


def as_past(project: Project, failed: Callable[..., Any] | type[Any] = frozenset) -> Past:
    segments = {Item("segments", one.name): one.meaning for one in project.segments.values()}
    groups = {Item("features", one.name): one.meaning for one in project.features.values()}
    return Past(lambda: segments | groups, failed)


def modified_in(project: Project, past: Past) -> list[str]:
    """The names of what is modified; none is an empty selection."""
    try:
        return chosen(project, "state:modified", past)
    except NothingSelected:
        return []


@pytest.mark.parametrize(
    ("changed", "modified"),
    [
        ({}, []),
        ({"segments_rich": WITHIN["segments_rich"].replace("'> 3'", "\">  3.0\"") + "description: rich ones\ntags: [x]\n"}, []),
        ({"segments_rich": WITHIN["segments_rich"].replace("> 3", "> 4")}, ["rich"]),
        ({"segments_buyers": "segment: buyers\npurpose: ads\nwhen: {did: {event: bought, window: 8d}}\n"}, ["buyers", "new"]),
        ({"features_buying": FEATURES.replace("amount > 0", "amount > 1")}, ["buying", "rich"]),
        ({"features_buying": FEATURES.replace("[7d, lifetime]", "[8d, lifetime]")}, ["buying"]),
        ({"features_buying": FEATURES.replace("purpose: ads", "description: what is bought\npurpose: ads")}, []),
        ({"sources_clicks": CLICKS.replace("amount: 'decimal(12,2)'", "amount: {from: total, type: 'decimal(12,2)'}")}, ["buying", "rich"]),
        ({"purposes": FILES["purposes.yaml"].replace("{id: care,", "{id: care, max_lookback: 9d,")}, ["adult", "new"]),
        ({"segments_twin": WITHIN["segments_adult"].replace("adult", "twin")}, ["twin"]),
    ],
)  # fmt: skip
def test_modified_is_what_means_something_else_than_what_is_published(tmp_path: Path, published: Past, changed: dict[str, Any], modified: list[str]) -> None:
    project = read(tmp_path, **{**WITHIN, **changed})
    assert modified_in(project, published) == modified


def test_a_segment_that_was_renamed_is_not_modified(tmp_path: Path, published: Past) -> None:
    (tmp_path / "segments/rich.yaml").unlink()
    project = read(tmp_path, **{**WITHIN, "segments_rich": ""}, segments_wealthy=WITHIN["segments_rich"].replace("rich", "wealthy"))
    assert "wealthy" in project.segments and "rich" not in project.segments
    assert modified_in(project, published) == []


def test_a_name_that_takes_the_meaning_of_a_removed_one_is_modified(tmp_path: Path, published: Past) -> None:
    (tmp_path / "segments/rich.yaml").unlink()
    taken = WITHIN["segments_rich"].replace("rich", "adult")
    project = read(tmp_path, **{**WITHIN, "segments_rich": "", "segments_adult": taken})
    assert modified_in(project, published) == ["adult"]


def test_where_nothing_is_published_all_is_modified(project: Project) -> None:
    assert chosen(project, "state:modified") == chosen(project, None)


def test_what_the_last_run_failed_on(project: Project) -> None:
    past = as_past(project, lambda: {Item("segments", "buyers"), Item("segments", "gone")})
    assert chosen(project, "result:error", past) == ["buyers"]
    assert chosen(project, "result:error+", past) == ["buyers", "new"]
    with pytest.raises(NothingSelected):
        select(project, "result:error", as_past(project))


def test_the_past_is_not_asked_for_without_need(project: Project) -> None:
    def never() -> Any:
        raise AssertionError("nobody asked")

    past = Past(never, never)
    assert chosen(project, "tag:growth +rich consumes:seen", past) == ["buying", "new", "rich"]
