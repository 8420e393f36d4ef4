"""All sources of a project, followed together."""

from collections.abc import Callable
from dataclasses import dataclass

from runners.sources.following import IDLE_US, FileFollower
from runners.sources.subscribing import TopicFollower, clock
from runners.sources.topics import Topic
from schemas.cut import Heard
from schemas.definitions.project import Project
from schemas.record import RawChunk
from transforms.follow import Follower, Positions


@dataclass(frozen=True)
class OpenSources:
    """Opens a follower of all sources of a project; it can be pickled."""

    project: Project

    def __call__(self, positions: Positions) -> "Followers":
        """A follower from these positions on."""
        return Followers.of(self.project, positions, clock)


class Followers:
    """Several followers, each asked in turn."""

    def __init__(self, followers: list[Follower]) -> None:
        self.followers, self.turn = followers, 0

    @classmethod
    def of(cls, project: Project, positions: Positions, clock: Callable[[], int]) -> "Followers":
        """The files, and each topic."""
        topics = [
            TopicFollower(
                Topic.of(source), IDLE_US if source.kind == "events" else 0, positions.get(source.name, {}), clock
            )
            for source in project.sources.values()
            if source.kafka is not None
        ]
        files = [FileFollower(project, positions, clock)] if any(source.files for source in project.sources.values()) else []
        return cls([*files, *topics])

    def poll(self) -> RawChunk | None:
        """The next records of the next that has any."""
        for _ in self.followers:
            self.turn = (self.turn + 1) % len(self.followers)
            chunk = self.followers[self.turn].poll()
            if chunk is not None:
                return chunk
        return None

    def heard(self) -> Heard:
        """The clock, and the partitions of all that are not idle."""
        told = [one.heard() for one in self.followers]
        active = (partition for one in told for partition in one.active)
        return Heard(min((one.clock_at for one in told), default=clock()), tuple(active))

    def close(self) -> None:
        """Let go of all."""
        for one in self.followers:
            one.close()
