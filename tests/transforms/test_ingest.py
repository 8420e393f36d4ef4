"""Each record has one fate; facts go to the shard of their subject, the rest is told with position and bytes."""

import json
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
from apache_beam.testing.util import assert_that, equal_to

from runners.runs.progress import tick
from runners.sources.reading import read
from schemas.definitions.source import Source
from schemas.kinds import schemas_of
from tests.support.raw_files import chunks_of, input_of, source_of, written
from transforms.algebra.engine import connect
from transforms.decode import DecodePlan
from transforms.ingest import Ingest, Plan, ingest

T = 1_735_693_200_000_000  # 2025-01-01T01:00:00Z
ROWS = b"".join(
    b'{"id":"%d","who":"%s","at":"2025-01-01T00:00:00Z","got":"%s"}\n' % (number, who, got)
    for number, (who, got) in enumerate(
        [
            (b"ann", b"2025-01-01T00:00:00Z"),
            (b"bob", b"2024-12-31T00:00:00Z"),
            (b"", b"2025-01-01T00:00:00Z"),
            (b"ann", b"2025-02-01T00:00:00Z"),
            (b"cid", b"2025-01-01T01:00:00Z"),
        ]
    )
)


def source(policy: str) -> Source:
    fields = {"event_id": "id", "event": "'buy'", "subject": "who", "occurred_at": "at", "received_at": "got"}
    return source_of(fields=fields, allowed_lateness="1d", on_late=policy, properties={})


def plan(policy: str) -> Plan:
    return Plan(read, {"orders": source(policy)}, DecodePlan(schemas_of({}), ()), 4, T, tick)


def test_what_is_set_aside_for_its_time_keeps_its_bytes_and_position(tmp_path: Path) -> None:
    lines = ROWS.splitlines(keepends=True)
    (chunk, _) = chunks_of(written(tmp_path / "x.ndjson", ROWS))
    con = connect()
    found = ingest(chunk, plan("quarantine"), con)
    con.close()
    told = sorted(zip(*(found.rejected[name].to_pylist() for name in ("position", "reason", "raw")), strict=True))
    assert [(position[-1], reason) for position, reason, _ in told] == [
        ("2", "future"),
        ("3", "missing_id"),
        ("4", "late"),
    ]
    assert [raw for _, _, raw in told] == lines[1:4]


def test_every_record_has_one_fate(tmp_path: Path) -> None:
    (chunk, _) = chunks_of(written(tmp_path / "x.ndjson", ROWS))
    con = connect()
    for policy, late, used in (("quarantine", 1, 0), ("drop", 1, 0), ("correct", 0, 1)):
        found = ingest(chunk, plan(policy), con)
        (account,) = found.account.to_pylist()
        assert (account["quarantined"], account["future"], account["late"], account["late_used"]) == (1, 1, late, used)
        assert account["read"] == 5 == 2 + late + sum(batch.num_rows for _, batch in found.facts)
        assert json.loads(account["position"])["records"] == 5
    con.close()


def test_files_become_facts_by_shard(tmp_path: Path) -> None:
    files = [input_of(written(tmp_path / f"{number}.ndjson", ROWS)) for number in range(3)]
    with beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner") as pipeline:
        done = pipeline | beam.Create([files]) | Ingest(plan("correct"))
        kinds = done.facts | beam.Map(lambda fact: (fact[1].schema.metadata[b"kind"], fact[1].num_rows))
        total = kinds | beam.CombinePerKey(sum)
        rejected = done.rejected | "Count" >> beam.Map(pa.RecordBatch.__len__) | beam.CombineGlobally(sum)
        read_of = (
            done.inputs
            | "Read" >> beam.Map(lambda account: account.column("read")[0].as_py())
            | "All" >> beam.CombineGlobally(sum)
        )
        assert_that(total, equal_to([(b"events", 9)]), "facts")
        assert_that(rejected, equal_to([6]), "rejected")
        assert_that(read_of, equal_to([15]), "read")
