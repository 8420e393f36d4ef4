"""A restriction is the reason of a correction where it alone would have taken back some of it: not where both only touch."""

from collections.abc import Sequence
from pathlib import Path

from tests.support.histories import Fact, Shard
from tests.support.merged import event, instant, link, row, undo, world
from tests.support.oracle_model import HOUR, Json, to_instant

SOURCES: Json = {"web": {"kind": "events", "properties": {}}, "led": {"kind": "consents"}, "ids": {"kind": "identities"}}
AWAY: Json = {"did_not": {"event": "buy", "window": "3h"}}


def corrected(folder: Path, known: Sequence[Fact], news: Sequence[Fact]) -> list[tuple[float, float, str]]:
    """What of the 20 hours that were told before is taken back of `zoe`, in hours, and why."""
    asked = world(*known, *news, when=AWAY, purpose="asked", sources=SOURCES)
    shard = Shard.of(folder, asked).step(known, instant(20)).step(news, instant(20))
    told = [one for one in shard.published[-1]["changes"].to_pylist() if (one["subject"], one["member"]) == ("zoe", False)]
    hours = [[(to_instant(one[name]) - instant(0)) / HOUR for name in ("effective_at", "until_at")] for one in told]
    return [(begin, end, one["reason"]) for (begin, end), one in zip(hours, told, strict=True)]


def test_a_restriction_that_alone_would_begin_where_the_correction_ends_is_not_its_reason(tmp_path: Path) -> None:
    """What the phone did is nothing to her from the undoing on, and neither is what it refuses then."""
    known = (row(0, "zoe"), row(0, "phone"), link(1, "phone", "zoe"))
    news = (event(4, "phone"), undo(6, "phone"), row(6, "phone", "WITHDRAW"))
    assert corrected(tmp_path, known, news) == [(4, 6, "late")]


def test_nor_is_one_that_alone_would_end_where_the_correction_begins(tmp_path: Path) -> None:
    known = (row(0, "zoe"), row(0, "phone"), row(5, "zoe"), row(5, "phone"), link(1, "phone", "zoe"))
    news = (undo(2, "phone"), row(2, "phone", "WITHDRAW"), event(5, "zoe"))
    assert corrected(tmp_path, known, news) == [(5, 8, "late")]


def test_a_restriction_that_alone_would_have_taken_any_of_it_back_is(tmp_path: Path) -> None:
    known = (row(0, "zoe"),)
    assert corrected(tmp_path, known, (event(4, "zoe"), row(6, "zoe", "WITHDRAW"))) == [(4, 20, "consent")]
