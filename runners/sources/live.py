"""All sources of a project, followed together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from runners.sources.following import IDLE_US, FileFollower
from runners.sources.subscribing import TopicFollower, clock
from runners.sources.topics import Topic
from schemas.cut import ALL, Heard, Share
from schemas.definitions.project import Project
from schemas.errors import JobFailed
from schemas.record import RawChunk
from transforms.follow import Follower, Positions


def installed() -> str:
    """The version of Segue that is installed here; empty where it is not."""
    try:
        return version("segue")
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True)
class OpenSources:
    """Opens a follower of all sources of a project; it can be pickled.

    Attributes:
      version: of Segue, where the stream was begun.
    """

    project: Project
    version: str = field(default_factory=installed)

    def __call__(self, positions: Positions, share: Share = ALL) -> "Followers":
        """A follower of a share from these positions on. Errors: JobFailed in a worker of another version."""
        if installed() != self.version:
            message = f"a worker has Segue {installed() or 'not installed'}, and the stream is of {self.version or 'none'}"
            raise JobFailed("SEG-0622", message, "install the same version where the workers are")
        return Followers.of(self.project, positions, clock, share)


class Followers:
    """Several followers, each asked in turn."""

    def __init__(self, followers: list[Follower]) -> None:
        self.followers, self.turn = followers, 0

    @classmethod
    def of(cls, project: Project, positions: Positions, clock: Callable[[], int], share: Share = ALL) -> "Followers":
        """The files, and each topic, as far as they are of a share."""
        topics = [
            TopicFollower(
                Topic.of(source), IDLE_US if source.kind == "events" else 0, positions.get(source.name, {}), clock, share
            )
            for source in project.sources.values()
            if source.kafka is not None
        ]
        has_files = any(source.files for source in project.sources.values())
        files = [FileFollower(project, positions, clock, share)] if has_files else []
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
