"""The kinds of windows: from the time of an event to the instants at which it counts (semantics 2, the table)."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from schemas.definitions.duration import write_duration
from schemas.definitions.reference import EventReference

Unit = Literal["day", "week", "month", "quarter", "year"]


class Kind:
    """One kind of window, and what the reference says of it.

    Attributes:
      name: the key that it is written with.
      when: when one would use it, in a sentence.
      example: a window in YAML.
      story: what becomes of a subject under `did: {event: order}` in that window.
    """

    name: ClassVar[str]
    when: ClassVar[str]
    example: ClassVar[str]
    story: ClassVar[str]


@dataclass(frozen=True)
class Last(Kind):
    """An event counts from its own instant until exactly so long after: in [t, t + length). `7d` is short for `{last: 7d}`."""

    name = "last"
    when = "The last seven days, as they are meant nearly always: 168 hours back from now, at any hour."
    example = "7d"
    story = """
    name: an order counts until it is seven days old, and then no more
    events: [[0d, order]]
    expect: [{at: 0d, member: true}, {at: 6d, member: true}, {at: 7d, member: false}]
    """

    us: int
    suffix: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.suffix is None:
            object.__setattr__(self, "suffix", write_duration(self.us))


@dataclass(frozen=True)
class Between(Kind):
    """An event counts while it is so old: in [t + near, t + far)."""

    name = "between"
    when = "The time before the last one: who bought last season."
    example = "{between: [90d, 30d]}"
    story = """
    name: an order counts from 30 days after it until 90 days after it
    events: [[0d, order]]
    expect: [{at: 29d, member: false}, {at: 30d, member: true}, {at: 89d, member: true}, {at: 90d, member: false}]
    """

    far_us: int
    near_us: int
    suffix = None


@dataclass(frozen=True)
class Ago:
    """An event at t counts in [t + us, inf): what lies at least so far back. No definition writes it; operators do."""

    us: int
    suffix = None


@dataclass(frozen=True)
class Calendar(Kind):
    """An event counts in whole units of a zone's calendar: the current one and those before it, or only those before it.

    `tz` is a zone by its name, `project`, or `profile` for the subject's own; daylight saving time is kept.
    """

    name = "calendar"
    when = "This week, last month, the last three whole quarters: what a report by the calendar says."
    example = "{calendar: {last: 1, unit: month, include_current: false}}"
    story = """
    name: an order of January counts in all of February
    events: [[2026-01-20, order]]
    expect:
    - {at: 2026-01-31, member: false}
    - {at: 2026-02-01, member: true}
    - {at: 2026-02-28, member: true}
    - {at: 2026-03-01, member: false}
    """

    last: int
    unit: Unit
    tz: str
    include_current: bool = True
    suffix = None


@dataclass(frozen=True)
class Absolute(Kind):
    """An event of [from, to) counts from its own instant on, for ever; either side may be left out."""

    name = "from/to"
    when = "A campaign, a season, a fair: what happened between two dates."
    example = "{from: 2026-03-01, to: 2026-03-08}"
    story = """
    name: an order of that week counts ever after
    events: [[2026-02-20, order], [2026-03-03, order]]
    expect: [{at: 2026-02-21, member: false}, {at: 2026-03-03, member: true}, {at: 2027-01-01, member: true}]
    """

    from_at: int | None
    to_at: int | None
    suffix = None


@dataclass(frozen=True)
class Lifetime(Kind):
    """An event counts from its own instant on, for ever; what a window is where none is said."""

    name = "lifetime"
    when = "Ever, within what the purpose's `max_lookback` allows."
    example = "lifetime"
    story = """
    name: an order of ten years ago is still an order
    events: [[0d, order]]
    expect: [{at: 0d, member: true}, {at: 3650d, member: true}]
    """

    suffix = "lifetime"


@dataclass(frozen=True)
class Session(Kind):
    """An event counts until `gap` after the last event of its session, a run of the subject's events of any name."""

    name = "session"
    when = "While they are here: the visit that is going on."
    example = "{session: {gap: 30m}}"
    story = """
    name: the visit goes on for as long as no silence is longer than half an hour
    events: [[0m, visit], [10m, order], [25m, visit]]
    expect: [{at: 9m, member: false}, {at: 10m, member: true}, {at: 54m, member: true}, {at: 55m, member: false}]
    """

    gap_us: int
    suffix = None


@dataclass(frozen=True)
class Since(Kind):
    """An event at or after an anchor counts until the next anchor."""

    name = "since"
    when = "Since they subscribed, since the last letter, since the last order: each one starts anew."
    example = "{since: subscribed}"
    story = """
    name: what came before the subscription does not count, and the next one starts anew
    events: [[0d, order], [10d, subscribed], [12d, order], [20d, subscribed]]
    expect: [{at: 5d, member: false}, {at: 10d, member: false}, {at: 12d, member: true}, {at: 20d, member: false}]
    """

    event: EventReference
    suffix = None
