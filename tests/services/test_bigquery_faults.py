"""BigQuery says no, is busy, or carries out what it never answers: done or told as what it is, and never a part of a publish."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.publishing.publish import publish
from runners.publishing.sweeping import sweep
from runners.warehouses.bigquery.clients import REST_EMULATOR
from runners.warehouses.bigquery.lake import BigQuery
from runners.warehouses.bigquery.opening import open_bigquery
from runners.warehouses.ducklake import open_lake
from runners.warehouses.preparing import prepare
from schemas.errors import SegueError
from tests.services.test_bigquery import rows
from tests.support.emulated import Emulator
from tests.support.faulty import LOST, Meant, Proxy, Request
from tests.support.staged_runs import correction, first_run

pytestmark = pytest.mark.services
ALWAYS = 10_000


def script(request: Request) -> bool:
    return request.method == "POST" and b"BEGIN TRANSACTION" in request.body


def staging(request: Request) -> bool:
    return request.method == "POST" and request.path.split("?")[0].endswith("/tables")


def answer(request: Request) -> bool:
    return request.method == "GET" and "/queries/" in request.path


@pytest.fixture(scope="module")
def proxy(emulator: Emulator) -> Iterator[Proxy]:
    with Proxy(emulator.environment[REST_EMULATOR]) as listening:
        yield listening


@pytest.fixture
def lake(proxy: Proxy, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    """A dataset with one run, asked by way of the proxy."""
    monkeypatch.setenv(REST_EMULATOR, proxy.address)
    with open_bigquery(dataset, tmp_path / "work", str(tmp_path / "states"), write=True, patience_s=0.3) as opened:
        prepare(opened)
        publish(opened, first_run(opened))
        yield opened


def told(lake: BigQuery) -> tuple[int, str]:
    """The exit code of the second run, and what it is told as."""
    plan = correction(lake)
    try:
        return 0, publish(lake, plan).status
    except SegueError as error:
        return error.exit_code, error.code


def see_that_nothing_is_lost(lake: BigQuery, folder: Path) -> None:
    """The run once more: the rows are those of the embedded warehouse that was left alone."""
    sweep(lake)
    if lake.value("SELECT count(*) FROM run_commits") == 1:
        publish(lake, correction(lake))
    with open_lake(folder / "undisturbed", write=True) as embedded:
        prepare(embedded)
        publish(embedded, first_run(embedded))
        publish(embedded, correction(embedded))
        assert rows(lake) == rows(embedded)


@pytest.mark.parametrize("status", [429, 500, 503, LOST])
@pytest.mark.parametrize("meant", [script, staging, answer])
def test_what_passes_is_waited_for(lake: BigQuery, proxy: Proxy, tmp_path: Path, meant: Meant, status: int) -> None:
    with proxy.striking(meant, status) as fault:
        assert told(lake) == (0, "published")
    assert fault.fired == 1
    see_that_nothing_is_lost(lake, tmp_path)


@pytest.mark.parametrize(("status", "ending"), [(429, (75, "SEG-0605")), (500, (75, "SEG-0605")), (403, (1, "SEG-0630"))])
def test_what_does_not_pass_is_told_and_nothing_is_published(
    lake: BigQuery, proxy: Proxy, tmp_path: Path, status: int, ending: tuple[int, str]
) -> None:
    before = rows(lake)
    with proxy.striking(script, status, ALWAYS) as fault:
        assert told(lake) == ending
    assert fault.fired >= 1
    lake.pin()
    assert rows(lake) == before
    see_that_nothing_is_lost(lake, tmp_path)


def test_of_a_commit_whose_answer_never_comes_it_is_found_out_that_it_was_carried_out(
    lake: BigQuery, proxy: Proxy, tmp_path: Path
) -> None:
    """Whoever committed is not told, and whoever comes next builds on it."""
    with proxy.striking(_behind(script), 500, ALWAYS) as fault:
        assert told(lake) == (75, "SEG-0605")
    assert fault.fired >= 1
    lake.pin()
    assert lake.value("SELECT count(*) FROM run_commits") == 2
    see_that_nothing_is_lost(lake, tmp_path)


def _behind(first: Meant) -> Meant:
    """Everything that is asked once this was."""
    was = list[Request]()

    def meant(request: Request) -> bool:
        if was:
            return True
        if first(request):
            was.append(request)
        return False

    return meant
