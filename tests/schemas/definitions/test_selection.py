import pytest

from schemas.definitions.selection import Selection, select
from schemas.errors import CallError, NothingSelected
from tests.support.tiny_language import read, segment


@pytest.fixture
def project(tmp_path):
    return read(
        tmp_path,
        segments_new=segment("{all: [{in_segment: buyers}, {did: {event: seen, where: 'items > 1'}}]}", "[ads, care]", "tags: [growth]\n"),
        segments_rich=segment("{aggregate: {feature: buying.spend_30d, compare: '> 3'}}").replace("new", "rich"),
        segments_adult=segment("{property: {age: '>= 18'}}", "care").replace("new", "adult"),
    )  # fmt: skip


def chosen(project, selector):
    found = select(project, selector)
    return sorted([*found.segments, *found.features])


def test_without_a_selector_everything_that_is_published_is_meant(project):
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
def test_a_selector_means_definitions(project, selector, found):
    assert chosen(project, selector) == found


def test_what_a_segment_depends_on_are_also_purposes_and_sources(project):
    assert select(project, "+rich") == Selection(("rich",), ("buying",), ("ads",), ("clicks",))


@pytest.mark.parametrize(("selector", "code"), [("nope", "SEG-0902"), ("purpose:nope", "SEG-0902"), ("state:modified", "SEG-0901"), ("result:error", "SEG-0901"),
                                                ("tags:growth", "SEG-0901"), ("tag:", "SEG-0901"), ("+", "SEG-0902"), ("buyers,", "SEG-0902")])  # fmt: skip
def test_what_is_not_understood_is_a_mistake_of_the_call(project, selector, code):
    with pytest.raises(CallError) as refused:
        select(project, selector)
    assert refused.value.code == code


def test_the_nearest_name_is_proposed(project):
    with pytest.raises(CallError, match="buyrs") as refused:
        select(project, "buyrs")
    assert "`buyers`" in refused.value.hint


@pytest.mark.parametrize("selector", ["tag:nope", "consumes:nope", "buyers,rich"])
def test_an_empty_selection_is_told(project, selector):
    with pytest.raises(NothingSelected):
        select(project, selector)
