"""The segments of the project beside this file as a plain Beam pipeline: one GroupByKey, then Python for each subject.

    python -m benchmarks.by_beam [FOLDER] [OUT] [--at 2026-01-01T00:00:00Z]

is what one would write first. It writes who is a member of which segment at one T, as lines `segment,subject`, and runs
on the FnApiRunner, in one process: give it a slice of the world (`world.take_slice`).
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from benchmarks.world import HERE

Record = dict[str, Any]
NEVER = datetime.max.replace(tzinfo=UTC)
_OPTIONS = {"direct_num_workers": 1, "direct_running_mode": "in_memory"}
_KINDS = {"events": "events/*.ndjson", "consents": "consents.ndjson", "profiles": "profiles.ndjson"}


def by_beam(folder: Path, out: Path, at: str) -> float:
    """Write `memberships-*.csv` to `out` for the instant `at` (ISO 8601). Gives seconds."""
    started = time.perf_counter()
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions.from_dictionary(_OPTIONS)) as pipeline:
        read = [
            pipeline
            | f"Read{kind}" >> beam.io.ReadFromText(str(folder / "data" / files))
            | f"Parse{kind}" >> beam.Map(parsed, kind)
            for kind, files in _KINDS.items()
        ]
        members = read | beam.Flatten() | beam.GroupByKey() | beam.FlatMap(memberships, datetime.fromisoformat(at))
        members | beam.io.WriteToText(str(out / "memberships"), file_name_suffix=".csv")
    return time.perf_counter() - started


def parsed(line: str, kind: str) -> tuple[str, tuple[str, Record]]:
    """A line as (subject, (kind, record)), its instants read."""
    record = json.loads(line, parse_float=Decimal)
    for name in ("at", "received_at", "claimed_at"):
        if name in record:
            record[name] = datetime.fromisoformat(record[name])
    return record["subject" if kind == "consents" else "user"], (kind, record)


def memberships(subject_facts: tuple[str, Iterable[tuple[str, Record]]], at: datetime) -> Iterator[str]:
    """The segments of one subject at an instant, one line each."""
    subject, facts = subject_facts
    by_kind: dict[str, list[Record]] = {kind: [] for kind in _KINDS}
    for kind, record in facts:
        by_kind[kind].append(record)
    begins = {purpose: epoch(by_kind["consents"], purpose, at) for purpose in ("analytics", "marketing")}
    profile = max((row for row in by_kind["profiles"] if row["at"] <= at), key=_dated, default={})
    events = [event for event in once(by_kind["events"]) if event["at"] <= at]
    for segment, is_member in segments(subject, events, profile, begins, at).items():
        if is_member:
            yield f"{segment},{subject}"


def _dated(row: Record) -> tuple[datetime, datetime]:
    return row["at"], row["received_at"]


def once(events: Iterable[Record]) -> Iterable[Record]:
    """One record for each id: the first received, then the one with the smallest hash."""
    best: dict[str, Record] = {}
    for event in events:
        rival = best.setdefault(event["id"], event)
        if rival is not event and (event["received_at"], digest(event)) < (rival["received_at"], digest(rival)):
            best[event["id"]] = event
    return best.values()


def digest(event: Record) -> str:
    """SHA-256 of a record's content as canonical JSON."""
    micros = (event["at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    content = {
        "amount": None if event["amount"] is None else f"{event['amount']:.2f}",
        "category": event["category"],
        "device": event["device"],
        "event": event["name"],
        "event_id": event["id"],
        "occurred_at": micros,
        "subject": event["user"],
    }
    return hashlib.sha256(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def epoch(rows: Iterable[Record], purpose: str, at: datetime) -> datetime | None:
    """Where the epoch that holds the instant begins; None where the purpose is closed.

    A grant acts at most 15 minutes before its receipt; a withdrawal that came more than 5 minutes late acts again then.
    """
    acts: list[tuple[datetime, str]] = []
    for row in rows:
        if row["purpose"] != purpose:
            continue
        claimed_at, received_at = row["claimed_at"], row["received_at"]
        acts_at = min(claimed_at, received_at)
        if row["action"] == "GRANT":
            acts_at = max(acts_at, received_at - timedelta(minutes=15))
        elif received_at - claimed_at > timedelta(minutes=5):
            acts.append((received_at, row["action"]))
        acts.append((acts_at, row["action"]))
    begin = None
    for acts_at, action in sorted(acts):  # GRANT comes before WITHDRAW
        if acts_at <= at:
            begin = (begin or acts_at) if action == "GRANT" else None
    return begin


def segments(
    subject: str, events: list[Record], profile: Record, begins: Mapping[str, datetime | None], at: datetime
) -> dict[str, bool]:
    """Every segment's answer for one subject."""
    analytics, marketing = begins["analytics"], begins["marketing"]
    both = max(analytics, marketing) if analytics and marketing else None
    a, m, b = (since(events, begin or NEVER) for begin in (analytics, marketing, both))
    day = timedelta(days=1)
    orders = [event for event in m if event["name"] == "order_completed"]
    recent = since(orders, at - 30 * day, after=True)
    pages = [event for event in a if event["name"] == "page_view"]
    bought = [event for event in b if event["name"] == "order_completed"]
    off_web = [event for event in since(a, at - 30 * day, after=True) if event["device"] != "web"]
    halved = [event for event in since(a, at - 180 * day, after=True) if event["name"] == "order_completed"]
    viewed = [event for event in since(m, at - 30 * day, after=True) if event["name"] == "page_view"]
    number = int.from_bytes(hashlib.sha256(f"half\0{subject}".encode()).digest()[:8], "big") % 100
    found = {
        "buyers": len(recent) >= 1,
        "big_spenders": sum(event["amount"] for event in since(bought, at - 90 * day, after=True)) >= 150,
        "browsers": len(viewed) >= 3 and not recent,
        "newcomers": bool(pages) and min(event["at"] for event in pages) > at - 60 * day,
        "lapsing": not recent and bool(since(orders, at - 90 * day, after=True)),
        "app_regulars": len(off_web) >= 5,
        "varied_buyers": len({event["category"] for event in halved} - {None}) >= 3,
        "active_plus": bool(since(m, at - 90 * day, after=True))
        and profile.get("plan") in ("plus", "pro")
        and profile.get("country") in ("DE", "FR", "NL"),
    }
    loyal = len(since(bought, at - 365 * day, after=True)) >= 2 or found["varied_buyers"]
    return found | {
        "buyers_a": found["buyers"] and number < 50,
        "win_back": bool(both) and found["lapsing"] and loyal and not found["browsers"],
    }


def since(events: Iterable[Record], begin: datetime, after: bool = False) -> list[Record]:
    """The events at or after an instant, or only those after it."""
    return [event for event in events if event["at"] > begin or (event["at"] == begin and not after)]


def main() -> None:
    """Run the pipeline, and say how long it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    parser.add_argument("out", type=Path, nargs="?", default=HERE / "target" / "by_beam")
    parser.add_argument("--at", default="2026-01-01T00:00:00+00:00")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    print(f"{by_beam(asked.folder, asked.out, asked.at):.1f} s")


if __name__ == "__main__":
    main()
