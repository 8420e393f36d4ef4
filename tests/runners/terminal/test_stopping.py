"""Whoever stops a run leaves nothing of people behind, though its threads can not be stopped."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from runners.publishing.staging import give_up
from runners.terminal import stopping
from runners.terminal.stopping import answered_by, asked_to_stop, end_in_order, heard_afterwards, undisturbed
from runners.warehouses.ducklake import open_lake
from runners.warehouses.lake import Lake
from runners.warehouses.query import query
from tests.support.planned import T, publish
from transforms.stage import Stage

pytestmark = pytest.mark.usefixtures("every_core")

ENDLESS = "SELECT max(a.range * b.range) FROM range(100_000_000) a, range(1_000_000) b"
PEOPLE = pa.table({"subject": ["ann", "bob"]})


def _writes_on(stage: Stage, begun: threading.Event, ended: list[str]) -> None:
    """One table after the other, until the folder is gone."""
    try:
        for number in range(100_000):
            stage.write(f"table{number % 100}", f"{number}", PEOPLE)
            begun.set()
    except OSError:
        ended.append("its folder is gone")


def test_what_was_staged_is_gone_for_good_while_threads_still_write(tmp_path: Path) -> None:
    for turn in range(5):
        folder, begun, ended = tmp_path / f"{turn}", threading.Event(), list[str]()
        folder.mkdir()
        tables = {f"table{number}": PEOPLE.schema for number in range(100)}
        writers = [threading.Thread(target=_writes_on, args=(Stage(folder, tables), begun, ended)) for _ in range(3)]
        for writer in writers:
            writer.start()
        begun.wait()
        give_up(folder)
        assert list(tmp_path.iterdir()) == []
        for writer in writers:
            writer.join()
        assert ended == ["its folder is gone"] * 3
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_already_may_be_given_up(tmp_path: Path) -> None:
    give_up(tmp_path / "never made")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asking_again_to_stop_disturbs_nothing_while_things_are_put_away(asked: signal.Signals) -> None:
    before = signal.getsignal(asked)
    with undisturbed():
        os.kill(os.getpid(), asked)
    assert signal.getsignal(asked) is before


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asking_to_stop_while_a_run_that_is_published_is_put_away_is_heard_after_that(asked: signal.Signals) -> None:
    heard, put_away = list[int](), list[bool]()
    before = signal.signal(asked, lambda number, _: heard.append(number))
    try:
        with heard_afterwards():
            os.kill(os.getpid(), asked)
            put_away.append(not heard)
    finally:
        signal.signal(asked, before)
    assert (put_away, heard) == ([True], [asked])


def test_whoever_catches_up_and_goes_on_hears_that_it_was_asked_to_stop_while_the_run_was_put_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = publish(tmp_path)
    monkeypatch.setenv("SEGUE_FAULT", "given_up")
    monkeypatch.setenv("SEGUE_FAULT_SIGNAL", "SIGTERM")
    monkeypatch.setenv("SEGUE_FAULT_LOG", str(tmp_path / "fired"))
    heard = list[int]()
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        target.run(T)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ((tmp_path / "fired").read_text(), heard) == ("given_up\n", [signal.SIGTERM])


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stream_that_catches_up_stops_even_where_something_has_swallowed_the_interrupt(
    asked: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "_HEARD", [])
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        end_in_order()
        with suppress(KeyboardInterrupt):
            signal.raise_signal(asked)
        with asked_to_stop() as is_asked:
            assert is_asked()
    finally:
        for one, own in before.items():
            signal.signal(one, own)


def test_what_is_told_not_to_hear_a_closed_terminal_does_not_hear_it_later() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with answered_by(signal.default_int_handler):
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_during_a_statement_ends_it_and_the_next_one_does_not_wait(lake: Lake) -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), lake.snapshot():
        lake.value(ENDLESS)
    with lake.snapshot():
        assert lake.value("SELECT 1") == 1


def test_ctrl_c_during_a_query_ends_the_call(lake: Lake) -> None:
    reader = open_lake(lake.root)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises((RuntimeError, KeyboardInterrupt)), reader:
        query(reader, ENDLESS).read_all()


def test_what_does_not_fit_into_memory_lies_in_the_warehouse_until_it_is_closed(lake: Lake) -> None:
    lake.run("SET memory_limit = '60MB'")
    lake.run("SET threads = 1")
    lake.run("CREATE TEMP TABLE many AS SELECT hash(range) AS h, repeat('x', 20) || range AS s FROM range(3_000_000)")
    (folder,) = (path for path in (lake.root / "spill").iterdir() if path.is_dir())
    assert list(folder.iterdir())
    lake.close()
    assert not list((lake.root / "spill").iterdir())
