"""An interval that can not be put into the warehouse has failed and says why: the others go on, and only it is done again."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from runners.backfills.backfilling import Backfilled, backfill
from runners.backfills.told_backfill import document, render
from runners.warehouses.backfills import DONE, FAILED
from schemas.definitions.catalog import read_project
from schemas.definitions.selection import select
from schemas.errors import JobFailed
from tests.support.backfilled import YEAR, backfilled, memberships, published, redefined
from tests.support.whole_runs import NOW, Target
from tests.support.worlds import language

JULY = 7


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return redefined(published(tmp_path / "target"))


def damaged(target: Target, month: int) -> Backfilled:
    """A call during which a disk spoils what one month was to bring, once all is computed."""
    project = read_project(target.folder, language())

    def tell(stage: str, done: int, share: float) -> None:
        if stage == "look at subjects" and share == 1:
            (path,) = [path for path in (target.folder / "lake" / "handed").glob("*/pieces/*") if begins_in(path, month)]
            path.write_bytes(path.read_bytes()[:-8])

    return backfill(project, select(project, "lately loyal"), YEAR, lambda: NOW, tell)


def begins_in(path: Path, month: int) -> bool:
    first = pc.min(pq.read_table(path)["valid_from"]).as_py()
    return bool(datetime(2025, month, 1, tzinfo=UTC) <= first < datetime(2025, month + 1, 1, tzinfo=UTC))


def kept(target: Target) -> list[tuple[str, str | None]]:
    return [(status, error) for status, error in target.rows("SELECT status, error FROM backfill_intervals ORDER BY number")]


def test_it_is_kept_as_failed_with_its_reason_and_the_others_are_done(target: Target) -> None:
    done = damaged(target, JULY)
    assert kept(target) == [(DONE, None)] * 6 + [(FAILED, "SEG-0623")] + [(DONE, None)] * 5
    assert [(one.status, one.error) for one in done.intervals] == kept(target)
    with pytest.raises(JobFailed, match="SEG-0922 1 of 12 intervals failed: 7"):
        done.see_that_none_failed()
    (line,) = [line for line in render(done).splitlines() if FAILED in line]
    assert line.split(maxsplit=4)[-1].startswith("SEG-0623: an order that the process which writes can not carry out")
    assert [one["error"] for one in document(done)["intervals"]][5:8] == [None, "SEG-0623", None]
    assert [*(target.folder / "lake" / "handed").glob("*/")] == []


def test_the_same_call_does_only_what_failed(target: Target, tmp_path: Path) -> None:
    damaged(target, JULY)
    again = backfilled(target)
    again.see_that_none_failed()
    assert (again.done_before, kept(target)) == (11, [(DONE, None)] * 12)
    undisturbed = redefined(published(tmp_path / "undisturbed"))
    backfilled(undisturbed)
    assert memberships(target) == memberships(undisturbed) != {}
