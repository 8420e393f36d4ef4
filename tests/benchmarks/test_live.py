"""What the benchmark of streams calls published, and the processes whose memory it adds up."""

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from benchmarks.live import FIRST, LATENCY, Feed, tree


def test_an_event_is_published_when_its_commit_is_there_and_one_whose_t_has_passed_it() -> None:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for statement in (
        "run_manifest AS SELECT unnest(['a', 'b', 'c']) AS run_id, make_timestamptz(unnest([1, 3, 9]) * 1000000) AS t",
        "run_commits AS SELECT unnest(['a', 'b', 'c']) AS run_id, make_timestamptz(unnest([2, 4, 10]) * 1000000) AS committed_at",
        "events AS SELECT unnest(['a', 'a', 'b']) AS run_id, make_timestamptz(unnest([0, 2, 3]) * 1000000) AS occurred_at, "
        "make_timestamptz(unnest([1, 1, 3]) * 1000000) AS received_at",
    ):
        con.execute(f"CREATE TABLE {statement}")
    assert con.execute(LATENCY.format(since=0)).fetchall() == [(3, [1.0, 1.0, 1.0, 2.96])]  # T passes the second after 3 s
    assert con.execute(LATENCY.format(since=2_000_000)).fetchall() == [(1, [1.0, 1.0, 1.0, 1.0])]


def test_a_feed_writes_each_number_once_at_its_rate(tmp_path: Path) -> None:
    (tmp_path / "data" / "events").mkdir(parents=True)
    feed = Feed(tmp_path / "data" / "events" / "live.ndjson", subjects=10, rate=400)
    with feed.flowing():
        while feed.written < 300:
            time.sleep(0)
    lines = feed.path.read_text().splitlines()
    assert len(lines) == feed.written
    assert [f'"id":"e{FIRST + number:09}"' in line for number, line in enumerate(lines)] == [True] * len(lines)


def test_a_tree_of_processes_is_all_that_were_started_by_one() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
        while len(tree(process.pid)) < 2:
            assert process.poll() is None
        assert process.pid in tree(os.getpid())
        process.communicate(b"\n")
