"""The end of a day in a stream: feature rows, which no commit within the day has written (4.5)."""

from pathlib import Path

from runners.warehouses.published import published
from tests.support.merged import FREE, Json, event, instant, world
from tests.support.streams import streaming
from tests.support.whole_runs import Target

D = 24
GROUP: Json = {
    "features": "g",
    "purpose": "free",
    "source": {"event": "buy"},
    "aggregates": [{"name": "n", "op": "count", "windows": ["1d", "lifetime"]}],
}
WEEK: Json = {"did": {"event": "buy", "window": "7d"}}
SOURCES: Json = {"web": {"kind": "events", "properties": {"n": "int"}}}
ROWS = "SELECT subject, g__n_1d, g__n_lifetime, epoch_us(as_of) FROM feature_rows ORDER BY as_of, subject"


def test_a_day_that_ends_in_silence_is_published_for_its_feature_rows_and_no_commit_within_it_writes_any(tmp_path: Path) -> None:
    target = Target(tmp_path, world(when=WEEK, sources=SOURCES, purposes=[FREE], features=[GROUP])).sharded(2)
    target.write([event(10 * D + 1, "ann")])
    with streaming(target, instant(10 * D + 2)) as live:
        begun_at = target.runs()[-1].t_at
        live.tell([event(10 * D + 3, "ann"), event(10 * D + 3, "bob")])
        assert live.commit(instant(10 * D + 4)).published.status == "published"
        assert (rows(target), written_at(target)) == ([("ann", 1, 1, begun_at)], begun_at)
        ended = live.commit(instant(11 * D) + 2_000_000)
        assert ended.published.status == "published"
        assert rows(target)[1:] == [("ann", 2, 2, ended.t_at), ("bob", 1, 1, ended.t_at)]
        assert written_at(target) == ended.t_at
        assert live.commit(instant(11 * D + 1)).published.status == "unchanged"


def test_what_has_no_say_in_who_is_a_member_closes_no_cut(tmp_path: Path) -> None:
    """Nothing would be published: it is said with the next commit that has something to say."""
    target = Target(tmp_path, world(when=WEEK, sources=SOURCES, purposes=[FREE], features=[GROUP])).sharded(1)
    target.write([event(10 * D + 1, "ann")])
    with streaming(target, instant(10 * D + 2)) as live:
        live.tell([event(10 * D + 3, "ann")])
        live.commit(instant(10 * D + 4))
        assert live.stream.carried.turning_at == instant(17 * D + 3)


def rows(target: Target) -> list[tuple[str, int, int, int]]:
    with target.lake() as lake:
        return lake.rows(ROWS)


def written_at(target: Target) -> int:
    """The T that a backfill takes for the last of which there are rows."""
    with target.lake() as lake:
        return published(lake).written_at
