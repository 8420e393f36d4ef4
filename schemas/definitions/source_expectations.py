"""What a source is expected to deliver, held against every run that reads it."""

from typing import Annotated

from pydantic import Field as Bounded

from schemas.definitions.comparison import Compare, Comparison, PercentComparison
from schemas.definitions.duration import Duration
from schemas.definitions.name import Name
from schemas.definitions.strict import Strict

_NO_ORPHANS = Comparison(Compare("=", 0), percent=True)


class Relation(Strict):
    """A column whose values another source has: `to` is `source.column`, of a lookup its key."""

    column: Name
    to: Annotated[str, Bounded(pattern=r"^[a-z][a-z0-9_]*\.\S+$")]
    orphans: PercentComparison = _NO_ORPHANS

    @property
    def source(self) -> str:
        """The other source."""
        return self.to.partition(".")[0]

    @property
    def target(self) -> str:
        """The column of the other source."""
        return self.to.partition(".")[2]


class SourceExpectations(Strict):
    """What a source must deliver: how fresh, how much of it may be set aside, what is not said twice, and what others have."""

    freshness: Duration | None = None
    quarantined: PercentComparison | None = None
    unique: tuple[Name, ...] = ()
    relations: tuple[Relation, ...] = ()
