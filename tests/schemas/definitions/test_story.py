from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.definitions.datatype import DataType
from schemas.definitions.duration import UNITS
from schemas.definitions.instant import parse_instant
from schemas.definitions.story import (
    START,
    Story,
    StoryConsent,
    StoryEvent,
    StoryProfile,
    StoryScore,
    typed_story,
)

MINUTE = UNITS["m"]
EXPECT = [{"at": "60m", "member": True}]


def read(**more: Any) -> Story | None:
    return Story.model_validate({"name": "a", "expect": EXPECT, **more}, context={"timezone": "Europe/Berlin"})


def errors(**more: str | list[Any]) -> list[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as refused:
        read(**more)
    found = [(error["type"], *error["loc"]) for error in refused.value.errors()]
    return [each for each in found if each != ("too_short", "expect") or len(found) == 1]


def test_an_event_is_a_list_or_a_mapping() -> None:
    story = read(
        events=[
            ["0m", "cart_add", {"cart_id": "a"}],
            ["5m", "seen"],
            {"at": "30m", "event": "bought", "cart_id": "a", "received": "5h"},
        ]
    )
    assert story.events == (
        StoryEvent("cart_add", START, properties={"cart_id": "a"}),
        StoryEvent("seen", START + 5 * MINUTE),
        StoryEvent("bought", START + 30 * MINUTE, START + 300 * MINUTE, properties={"cart_id": "a"}),
    )


def test_an_event_may_say_its_id_and_its_source() -> None:
    event = read(events=[{"at": "0m", "event": "seen", "event_id": "1", "source": "web"}]).events[0]
    assert (event.event_id, event.source, event.properties) == ("1", "web", {})


def test_a_moment_is_an_offset_or_a_date() -> None:
    story = read(
        expect=[{"at": "-2d", "member": False}, {"at": "2026-07-01", "known": "2026-07-01T00:00Z", "member": True}]
    )
    assert [(one.at, one.known) for one in story.expect] == [
        (START - 2 * UNITS["d"], None),
        (parse_instant("2026-06-30T22:00Z"), parse_instant("2026-07-01T00:00Z")),
    ]


def test_consent_is_granted_unless_the_story_says_what_it_is() -> None:
    assert read().consent is None and read(consent=[]).consent == ()
    rows = read(
        consent=[
            ["10m", "GRANT"],
            ["2h", "WITHDRAW", {"method": "interactive"}],
            {"at": "3h", "action": "OBJECT", "purpose": "ads"},
        ]
    ).consent
    assert rows == (
        StoryConsent("GRANT", START + 10 * MINUTE),
        StoryConsent("WITHDRAW", START + 120 * MINUTE, said={"method": "interactive"}),
        StoryConsent("OBJECT", START + 180 * MINUTE, purpose="ads"),
    )


def test_a_profile_holds_from_before_the_first_event_or_changes() -> None:
    assert read(profile={"country": "DE"}).profile == (StoryProfile({"country": "DE"}),)
    assert read(profile=[["10m", {"country": "FR"}]]).profile == (StoryProfile({"country": "FR"}, START + 10 * MINUTE),)


def test_a_score_is_a_list_or_a_mapping() -> None:
    rows = read(
        scores=[["10m", {"model": "churn", "value": Decimal("0.8")}], {"at": "2h", "model": "m", "label": "a", "received": "3h"}]
    ).scores
    assert rows == (
        StoryScore("churn", START + 10 * MINUTE, value=0.8),
        StoryScore("m", START + 120 * MINUTE, START + 180 * MINUTE, label="a"),
    )


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"expect": []}, [("too_short", "expect")]),
        ({"expect": [{"at": "60m", "member": "yes"}]}, [("bool_type", "expect", 0, "member")]),
        ({"expect": [{"at": "an hour", "member": True}]}, [("SEG-0500", "expect", 0, "at")]),
        ({"expect": [{"at": 60, "member": True}]}, [("SEG-0500", "expect", 0, "at")]),
        ({"events": ["seen"]}, [("SEG-0500", "events", 0)]),
        ({"events": [["0m"]]}, [("SEG-0500", "events", 0)]),
        ({"events": [["0m", "seen", "page"]]}, [("SEG-0500", "events", 0)]),
        ({"events": [["0m", 3]]}, [("string_type", "events", 0, "event")]),
        ({"events": [{"event": "seen"}]}, [("missing", "events", 0, "at")]),
        ({"consent": [["0m", "GRNAT"]]}, [("SEG-0500", "consent", 0, "action")]),
        (
            {"consent": [{"at": "0m", "action": "GRANT", "metod": "import"}]},
            [("extra_forbidden", "consent", 0, "metod")],
        ),
        ({"profile": "DE"}, [("SEG-0500", "profile")]),
        ({"scores": [["0m", "churn", 0.8]]}, [("SEG-0500", "scores", 0)]),
        ({"scores": [["0m", {"model": "churn"}]]}, [("SEG-0500", "scores", 0)]),
        ({"scores": [["0m", {"model": "churn", "value": "much"}]]}, [("SEG-0501", "scores", 0, "value")]),
        ({"scores": [["0m", {"model": "churn", "label": "a", "score": 1}]]}, [("extra_forbidden", "scores", 0, "score")]),
        ({"subject": "x"}, [("extra_forbidden", "subject")]),
    ],
)
def test_what_can_not_be_read_is_told_where_it_stands(more: dict[str, Any], found: list[tuple[Any, ...]]) -> None:
    assert errors(**more) == found


def test_values_become_what_their_columns_hold() -> None:
    columns = {name: DataType.parse(kind) for name, kind in {"value": "decimal(5,2)", "at": "timestamp"}.items()}
    story = read(events=[["0m", "seen", {"value": 40}]], profile={"value": Decimal("2.005")})
    typed, wrong = typed_story(story, columns, columns, "UTC")
    assert (typed.events[0].properties["value"], typed.profile[0].columns["value"], wrong) == (
        Decimal("40.00"),
        Decimal("2.01"),
        [],
    )
