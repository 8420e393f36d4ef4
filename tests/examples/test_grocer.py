"""The grocer's definitions are sound, and its stories are the law's: each is told to the oracle."""

from typing import Any

import pytest

from schemas.definitions.catalog import Project, read_project
from tests.support.grocer import GROCER, NAMES, definitions, read_all
from tests.support.oracle import member
from tests.support.oracle_model import FOREVER, World
from tests.support.told_stories import WHO, Told
from tests.support.worlds import language

SOURCES = {event: source for source, event in NAMES.items()}
SECOND_VERSION = 1_496_289_600_000_000
"""1 June 2017 in New York: from then on the letters need consent to their second version."""


@pytest.fixture(scope="module")
def project() -> Project:
    return read_project(GROCER, language())


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return definitions()


def test_nothing_is_declared_in_vain(project: Project) -> None:
    assert [str(warning) for warning in project.warnings if warning.code != "SEG-0801"] == []


def test_no_purpose_asks_for_an_age_that_the_data_do_not_hold(project: Project) -> None:
    assert "birth_date" not in project.profile_columns
    assert [purpose.id for purpose in project.purposes.values() if purpose.min_age is not None] == []


def test_every_segment_says_who_acts_on_it(project: Project) -> None:
    assert [name for name, segment in project.segments.items() if not (segment.description and segment.owner)] == []


def told_to(project: Project) -> Told:
    return Told(tuple(project.purposes), SOURCES, "demographics", "consents", "snapshot", {2: SECOND_VERSION})


TOLD = [(one["segment"], index) for one in read_all("segments/*.yaml") for index in range(len(one.get("tests", ())))]


@pytest.mark.parametrize(("name", "index"), TOLD)
def test_the_oracle_tells_the_same_story(project: Project, told: dict[str, Any], name: str, index: int) -> None:
    story = project.segments[name].tests[index]
    world = World(told, *told_to(project).facts(story))
    found = [member(world, name, WHO, one.at, FOREVER if one.known is None else one.known) for one in story.expect]
    assert found == [one.member for one in story.expect], story.name
