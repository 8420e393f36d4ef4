"""Links in a stream on its real runner: who they connect is one subject, as one run over all of it says."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.support.command_line import asked, segue, write_definitions
from tests.support.ordering import BUYERS, FIELDS
from tests.support.streamed import streaming, wait_until
from transforms.shard import shards_of

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("prism_is_there")]
PEOPLE = 12
APART = [n for n in range(PEOPLE) if len({*shards_of(pa.array([f"device{n}", f"user{n}"]), 4)}) == 2]
LINKS = {name: name for name in ("from_id", "to_id", "linked_at", "received_at")}
THRICE = {**BUYERS, "when": {"did": {"event": "buy", "count": ">= 3"}}}
SOURCES: list[dict[str, Any]] = [
    {"source": "orders", "kind": "events", "from": {"files": "orders.ndjson"}, "fields": FIELDS},
    {"source": "ids", "kind": "identities", "from": {"files": "ids.ndjson"}, "fields": LINKS},
]
HISTORY = "SELECT segment, version, subject, valid_from, valid_to FROM segment_history WHERE known_to IS NULL ORDER BY ALL"


def shop(folder: Path) -> Path:
    return write_definitions(folder, {"name": "shop", "as_of": "2024-01-01T00:00:00Z"}, SOURCES, [THRICE])


def buy(folder: Path, minute: int) -> None:
    """Everybody buys once by each of their ids."""
    at = f"2023-11-14T10:{minute:02}:00Z"
    ids = [f"{who}{n}" for n in range(PEOPLE) for who in ("device", "user")]
    said = [{"id": f"{one}-{minute}", "who": one, "at": at, "got": at} for one in ids]
    append(folder / "orders.ndjson", said)


def link(folder: Path, people: range) -> None:
    at = "2023-11-14T09:00:00Z"
    ends = [{"from_id": f"device{n}", "to_id": f"user{n}"} for n in people]
    append(folder / "ids.ndjson", [{**one, "linked_at": at, "received_at": at} for one in ends])


def append(path: Path, records: list[dict[str, str]]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(one) + "\n" for one in records)


def test_links_that_arrive_while_people_buy_connect_them_as_one_run_would(tmp_path: Path) -> None:
    assert APART
    project = shop(tmp_path / "live")
    buy(project, 1)
    with streaming(project) as stream:
        for minute in range(2, 8):
            link(project, range(2 * (minute - 2), 2 * (minute - 1)))
            buy(project, minute)
            wait_until(stream, project, "SELECT count(*) AS n FROM events", 2 * PEOPLE * minute)
    alone = shop(tmp_path / "alone")
    for name in ("orders.ndjson", "ids.ndjson"):
        (alone / name).write_bytes((project / name).read_bytes())
    segue(alone, "run")
    history = asked(project, HISTORY)
    assert len(history) == PEOPLE
    assert history == asked(alone, HISTORY)
