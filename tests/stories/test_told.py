"""The stories that every release must tell correctly: in one batch, in cuts, by explain, and by the oracle."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from runners.answers.telling import tell
from schemas.definitions.catalog import read_project
from schemas.definitions.project import Project
from tests.support.oracle import member
from tests.support.oracle_model import FOREVER, World
from tests.support.told_stories import WHO, Told
from tests.support.worlds import language
from transforms.algebra.program import Program

STORIES = Path(__file__).parent / "project"
TO = Told(("ads",), {"view": "app", "order": "app"}, "crm", "ledger")


def _read(pattern: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(path.read_text()) for path in sorted(STORIES.glob(pattern))]


SEGMENTS = _read("segments/*.yaml")
NAMED = [(one["segment"], index) for one in SEGMENTS for index in range(len(one["tests"]))]


@pytest.fixture(scope="module")
def program() -> Program:
    project = read_project(STORIES, language())
    return Program(project, dict.fromkeys(project.segments, 1))


def definitions(project: Project) -> dict[str, Any]:
    """The same as their YAML reads, which is how the oracle takes them."""
    sources = {one["source"]: one for one in _read("sources/*.yaml")}
    return {"timezone": project.timezone, "sources": sources, "segments": SEGMENTS, **_read("purposes.yaml")[0]}


@pytest.mark.parametrize(("name", "index"), NAMED)
def test_a_story_ends_as_it_says(program: Program, name: str, index: int) -> None:
    segment = program.project.segments[name]
    story = segment.tests[index]
    assert [one for one in tell(program, segment, story) if not one.right] == [], story.name
    world = World(definitions(program.project), *TO.facts(story))
    known = [FOREVER if one.known is None else one.known for one in story.expect]
    answers = [member(world, name, WHO, one.at, k) for one, k in zip(story.expect, known, strict=True)]
    assert answers == [one.member for one in story.expect], story.name
