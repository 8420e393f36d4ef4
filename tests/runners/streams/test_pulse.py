"""What a stream says of itself while it runs."""

from runners.runs.run_plan import Published
from runners.streams.pulse import Pulse
from runners.streams.streaming import Committed
from runners.terminal.bar import Bar
from transforms.algebra.order import FOREVER

SECOND = 1_000_000


class Watched:
    """A pulse with clocks that are set, and what it has said."""

    def __init__(self, until_at: int = FOREVER) -> None:
        self.said: list[tuple[str, dict[str, object]]] = []
        self.at_s = 0.0
        bar = Bar(lambda text, **fields: self.said.append((text, fields)), False, lambda: self.at_s, terminal=False)
        self.pulse = Pulse(bar, lambda: int(self.at_s * SECOND), lambda: self.at_s, until_at)

    def commit(self, at_s: float, t_s: float, records: int, status: str = "published") -> None:
        self.at_s = at_s
        published = Published(status, "run", 0, {})  # type: ignore[arg-type]
        told = {"records": records, "waiting": 3, "remade": 0, "notes": (), "seconds": 0.5}
        self.pulse.note(Committed(published, int(t_s * SECOND), **told))  # type: ignore[arg-type]


def test_it_tells_records_their_rate_how_far_t_is_behind_what_is_to_come_and_the_commits() -> None:
    one = Watched()
    one.commit(2, 1, 100)
    one.commit(20, 18, 300)
    (text, fields), = one.said
    assert text == "live  400 records, 20 a second · T is 2.0 s behind · 3 subjects will change without news · 2 commits"
    assert fields == {"rows": 400, "rate": 20.0, "lag_s": 2.0, "timers": 3, "commits": 2}


def test_a_cut_that_published_nothing_is_no_commit() -> None:
    one = Watched()
    one.commit(20, 18, 0, "unchanged")
    assert one.said[0][1]["commits"] == 0


def test_where_nothing_has_come_for_a_while_t_is_not_called_behind() -> None:
    one = Watched()
    one.commit(20, 18, 5)
    one.at_s = 60
    one.pulse.beat()
    assert "nothing comes" in one.said[-1][0]


def test_a_t_that_the_project_has_fixed_is_not_called_behind() -> None:
    one = Watched(until_at=18 * SECOND)
    one.commit(60, 18, 5)
    assert "T is at `as_of`, and goes no further" in one.said[-1][0]


def test_it_speaks_no_more_often_than_anything_else() -> None:
    one = Watched()
    for second in range(20, 40):
        one.commit(second, second - 1, 1)
    assert len(one.said) == 2
