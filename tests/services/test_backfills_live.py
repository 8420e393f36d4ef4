"""A backfill beside a stream: the stream puts it into the warehouse, and publishes what it would have published alone."""

from pathlib import Path

import pytest
import yaml

from tests.support.command_line import asked, segue
from tests.support.followed import append
from tests.support.ordering import events, order, project_of
from tests.support.streamed import HISTORY, streaming, wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("prism_is_there")]
COUNT = "SELECT count(*) AS n FROM events"
PERIOD = ("--from", "2023-11-01T00:00:00Z", "--to", "2024-01-01T00:00:00Z")
TWICE = {"segment": "regulars", "purpose": "counting", "when": {"did": {"event": "buy", "count": ">= 2"}}}
BACKFILLED = "SELECT segment, version, subject, valid_from FROM segment_backfilled ORDER BY ALL"


def shop(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    return project_of(folder, {"files": "data/*.ndjson"})


def lines(*numbers: int) -> bytes:
    return b"".join(order(number, who=f"u{number % 7}") + b"\n" for number in numbers)


def test_a_stream_goes_on_while_the_past_of_a_new_segment_is_computed_beside_it(tmp_path: Path) -> None:
    project = shop(tmp_path / "shop")
    append(project / "data" / "a.ndjson", lines(*range(20)))
    with streaming(project) as stream:
        wait_until(stream, project, COUNT, 20, patience=400)
        (project / "segments" / "regulars.yaml").write_text(yaml.safe_dump(TWICE))
        append(project / "data" / "a.ndjson", lines(*range(20, 30)))
        segue(project, "backfill", *PERIOD)
        append(project / "data" / "a.ndjson", lines(*range(30, 40)))
        wait_until(stream, project, COUNT, 40, patience=400)
    assert [row["status"] for row in asked(project, "SELECT status FROM backfill_intervals ORDER BY number")] == ["done", "done"]
    found = asked(project, BACKFILLED)
    assert [row["subject"] for row in found] == [f"u{number}" for number in range(7)]
    alone = shop(tmp_path / "alone")
    append(alone / "data" / "a.ndjson", lines(*range(40)))
    segue(alone, "run")
    assert [asked(project, HISTORY), events(project)] == [asked(alone, HISTORY), events(alone)]
    segue(project, "run")
    assert asked(project, BACKFILLED) == []
    regulars = "SELECT segment, version, subject, valid_from FROM segment_history WHERE segment = 'regulars' ORDER BY ALL"
    assert asked(project, regulars) == found
