"""Stories of segments as facts of the oracle: what it is told is what the kernel is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runners.answers.story_facts import SUBJECT
from schemas.definitions.story import Story
from tests.support.oracle_model import DAY, Consent, Event, Profile, Score

WHO = SUBJECT


@dataclass(frozen=True)
class Told:
    """Where a project's stories are told: the source of each event, of profiles and their payload, and of consents.

    Attributes:
      again: later versions of the purposes, and when each is introduced: who grants grants them too.
    """

    purposes: tuple[str, ...]
    events: Mapping[str, str]
    profiles: str
    consents: str
    payload: str = "delta"
    again: Mapping[int, int] = field(default_factory=dict)

    def facts(self, story: Story) -> tuple[tuple[Event, ...], tuple[Profile, ...], tuple[Consent, ...]]:
        """The facts of a story, in the order of `World`."""
        said: list[Any] = [*story.events, *(story.consent or ()), *story.scores, *story.expect]
        before = min(one.at for one in said) - DAY
        return tuple(self._events(story)), tuple(self._profiles(story, before)), tuple(self._consents(story, before))

    def scores(self, story: Story) -> tuple[Score, ...]:
        """The scores of a story, where the project has no source of them by name."""
        return tuple(
            Score("story", WHO, one.model, one.version, one.at, _received(one), one.value, one.label)
            for one in story.scores
        )

    def _events(self, story: Story) -> Iterator[Event]:
        for number, one in enumerate(story.events):
            event_id, received_at = one.event_id or f"e{number:03}", _received(one)
            yield Event(self.events[one.event], WHO, event_id, one.event, one.at, received_at, one.properties)

    def _profiles(self, story: Story, before: int) -> Iterator[Profile]:
        for row in story.profile:
            at = before if row.at is None else row.at
            yield Profile(self.profiles, WHO, at, at, row.columns, self.payload)

    def _consents(self, story: Story, before: int) -> Iterator[Consent]:
        """The rows of the story for every purpose, or grants from before it on."""
        for purpose in self.purposes:
            if story.consent is None:
                yield self._row("g1", purpose, "GRANT", before, before, {})
                for major, introduced_at in self.again.items():
                    at = max(before, introduced_at)
                    yield self._row(f"g{major}", purpose, "GRANT", at, at, {"purpose_major": major})
            for number, row in enumerate(story.consent or ()):
                yield self._row(f"c{number:03}", purpose, row.action, row.at, _received(row), row.said)

    def _row(
        self, event_id: str, purpose: str, action: str, at: int, received_at: int, said: Mapping[str, Any]
    ) -> Consent:
        columns: dict[str, Any] = {"method": "interactive", "actor": "subject", **said}
        return Consent(self.consents, WHO, event_id, purpose, action, at, received_at, **columns)


def _received(one: Any) -> int:
    return int(one.at if one.received_at is None else one.received_at)
