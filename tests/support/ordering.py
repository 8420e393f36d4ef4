"""A shop whose orders come from a topic or from files: the project, its records, and what was published of them."""

import json
from pathlib import Path
from typing import Any

from tests.support.command_line import asked, write_definitions

FIELDS = {"event_id": "id", "event": "'buy'", "subject": "who", "occurred_at": "at", "received_at": "got"}
BUYERS = {"segment": "buyers", "purpose": "counting", "when": {"did": {"event": "buy"}}}


def project_of(folder: Path, whence: dict[str, Any], **more: Any) -> Path:
    """A project of one source of events, which reads when it is asked."""
    source = {"source": "orders", "kind": "events", "from": whence, "fields": FIELDS, "properties": {"amount": "int"}, **more}
    return write_definitions(folder, {"name": "shop", "as_of": "2024-01-01T00:00:00Z"}, [source], [BUYERS])


def order(number: int, who: str = "ann", amount: int = 5, **more: str) -> bytes:
    """A record; the orders of one hour follow one another."""
    at = f"2023-11-14T10:{number // 60 % 60:02}:{number % 60:02}Z"
    return json.dumps({"id": f"o{number}", "who": who, "at": at, "amount": amount, **more}).encode()


def events(project: Path) -> list[str]:
    """The ids of the events that are published."""
    return [row["event_id"] for row in asked(project, "SELECT event_id FROM events ORDER BY event_id")]


def told(project: Path, table: str) -> list[str]:
    """The rows of a table, but for what a run calls itself."""
    rows = asked(project, f"SELECT * EXCLUDE (run_id) FROM {table}")
    return sorted(json.dumps(row, sort_keys=True) for row in rows)
