"""The reference is current and whole, and every story in it is true: in one batch, in cuts, by explain, and by the oracle."""

import shutil
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
import yaml

from runners.answers.story_facts import SUBJECT
from runners.answers.telling import program_of, tell
from runners.pages.reference import FOLDER, pages, read_aggregate
from runners.pages.tables import FILE, page
from schemas.definitions.catalog import read_project
from schemas.definitions.story import Story
from schemas.definitions.window import KINDS
from tests.support.oracle import member
from tests.support.oracle_model import FOREVER, World
from tests.support.told_stories import Told
from tests.support.worlds import language
from transforms.algebra.aggregates import AGGREGATES
from transforms.algebra.operators import OPERATORS

SHOP = FOLDER / "shop"
EVENTS = dict.fromkeys(("order", "cart_add", "visit", "subscribed"), "shop")
TO = Told(("analytics",), EVENTS, "people", "none")
DESCRIBED: dict[str, Any] = {
    **{f"operator {name}": one for name, one in OPERATORS.items()},
    **{f"feature {op}": one for op, one in AGGREGATES.items()},
    **{f"window {kind.name}": kind for kind in KINDS},
}
PARTS = {"operator": ("when", "example", "story"), "feature": ("when", "example", "compare", "story")}


def files_of(name: str) -> dict[str, str]:
    """The example as files of the shop; the story is a test of its segment."""
    kind, one = name.split()[0], DESCRIBED[name]
    if kind == "operator":
        return {"segments/example.yaml": segment(dedent(one.example), one.story)}
    if kind == "window":
        return {"segments/example.yaml": segment(f"did: {{event: order, window: {one.example}}}", one.story)}
    said = read_aggregate(one)
    group = f"features: example\npurpose: analytics\nsource: order\naggregates: [{one.example}]\n"
    asked = f'aggregate: {{feature: example.{said["name"]}_{said["windows"][0]}, compare: "{one.compare}"}}'
    return {"features/example.yaml": group, "segments/example.yaml": segment(asked, one.story)}


def segment(when: str, story: str) -> str:
    told = indent(dedent(story).strip(), "    ").strip()
    return f"segment: example\npurpose: analytics\nwhen:\n{indent(when.strip(), '  ')}\ntests:\n  - {told}\n"


def definitions(folder: Path) -> dict[str, Any]:
    """The same as their YAML reads, which is how the oracle takes them."""
    read = {kind: [yaml.safe_load(path.read_text()) for path in (folder / kind).glob("*.yaml")]
            for kind in ("sources", "segments", "features")}  # fmt: skip
    sources = {one["source"]: one for one in read.pop("sources")}
    registry = yaml.safe_load((folder / "purposes.yaml").read_text())
    return {"timezone": "UTC", "sources": sources, **read, **registry, "lists": {"lists/vip.csv": {"subject": {SUBJECT}}}}


def by_oracle(folder: Path, story: Story) -> list[bool]:
    events, profiles, _ = TO.facts(story)
    known = [FOREVER if one.known is None else one.known for one in story.expect]
    world = World(definitions(folder), events, profiles, scores=TO.scores(story))
    return [member(world, "example", SUBJECT, one.at, k) for one, k in zip(story.expect, known, strict=True)]


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_story_of_the_reference_is_true(tmp_path: Path, name: str) -> None:
    shutil.copytree(SHOP, tmp_path, dirs_exist_ok=True)
    for path, text in files_of(name).items():
        (tmp_path / path).write_text(text)
    project = read_project(tmp_path, language())
    (story,) = project.segments["example"].tests
    answers = tell(program_of(project, "example"), project.segments["example"], story)
    assert [one for one in answers if not one.right] == []
    assert by_oracle(tmp_path, story) == [one.member for one in story.expect]


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_part_of_the_language_says_what_it_is_and_when_one_would_use_it(name: str) -> None:
    one = DESCRIBED[name]
    own = [part for part in PARTS.get(name.split()[0], ("when", "example", "story")) if vars(one).get(part)]
    assert own == list(PARTS.get(name.split()[0], ("when", "example", "story")))
    assert one.__doc__
    assert one.when.endswith(".")
    assert "\n" not in one.when


def test_an_example_is_of_what_it_explains() -> None:
    assert [name for name, one in OPERATORS.items() if next(iter(yaml.safe_load(one.example))) != name] == []
    assert [op for op, one in AGGREGATES.items() if read_aggregate(one)["op"] != op] == []


def test_a_story_says_both_who_is_a_member_and_who_is_not() -> None:
    same = {"operator bucket", "operator list", "feature list", "feature top_k", "feature first", "window lifetime"}
    told = {name: {one["member"] for one in yaml.safe_load(one.story)["expect"]} for name, one in DESCRIBED.items()}
    assert {name for name, answers in told.items() if len(answers) == 1} <= same


def test_the_reference_is_current() -> None:
    written = {path.name: path.read_text() for path in FOLDER.glob("*.md")}
    assert written == pages(), "`make docs` writes it"
    assert FILE.read_text() == page(), "`make docs` writes it"
