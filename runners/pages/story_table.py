"""A story of the reference as a table: what happens, and whether the subject is a member then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from schemas.definitions.story import Story, StoryScore
from schemas.definitions.yaml import read_yaml

_BEFORE = -(1 << 63)
_ANSWERS = {True: "**yes**", False: "no"}


@dataclass
class _Row:
    """One instant of a story."""

    at: str
    happens: list[str] = field(default_factory=list)
    answer: str = ""


def read_story(text: str) -> tuple[Story, Mapping[str, Any]]:
    """A story as it is told, and as it is written."""
    document, _ = read_yaml(dedent(text).encode(), "story")
    written: Mapping[str, Any] = document.data if document else {}
    return Story.model_validate(written, context={"timezone": "UTC"}), written


def story_table(text: str) -> list[str]:
    """The lines of the table, the story's name above it."""
    story, written = read_story(text)
    rows: dict[int, _Row] = {}
    for at, label, happens in _facts(story, written):
        rows.setdefault(at, _Row(label)).happens.append(happens)
    expected = written["expect"]
    for one, said in zip(story.expect, expected, strict=True):
        rows.setdefault(one.at, _Row(str(said["at"]))).answer = _ANSWERS[one.member]
    lines = [f"| {row.at} | {'; '.join(row.happens)} | {row.answer} |" for _, row in sorted(rows.items())]
    return [f"*{_sentence(story.name)}.*", "", "| at | what happens | a member? |", "|---|---|---|", *lines]


def _facts(story: Story, written: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    profile = written.get("profile", ())
    labels = ["before"] if isinstance(profile, dict) else [_label(one) for one in profile]
    for row, label in zip(story.profile, labels, strict=True):
        yield _BEFORE if row.at is None else row.at, label, f"profile: {_values(row.columns)}"
    for event, said in zip(story.events, written.get("events", ()), strict=True):
        values = _values(event.properties)
        yield event.at, _label(said), f"`{event.event}`" + (f" with {values}" if values else "")
    for score, said in zip(story.scores, written.get("scores", ()), strict=True):
        yield score.at, _label(said), _scored(score)


def _scored(score: StoryScore) -> str:
    named = {"version": score.version, "label": score.label, "value": score.value}
    return f"score of `{score.model}`: {_values({name: one for name, one in named.items() if one is not None})}"


def _label(said: Any) -> str:
    return str(said["at"] if isinstance(said, dict) else said[0])


def _values(columns: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in columns.items())


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
