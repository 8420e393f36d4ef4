"""The schemas of editors agree with the reader: what is read validates, and the mistakes that are made do not."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest

from runners.schema_files import kind_of, schema_files
from schemas.definitions.yaml import read_yaml
from tests.support.random_project import RandomProject
from tests.support.worlds import language

ROOT = Path(__file__).parents[3]
SCHEMAS = {name.partition(".")[0]: json.loads(text) for name, text in schema_files(language()).items()}
CHECKS = {kind: jsonschema.Draft202012Validator(schema) for kind, schema in SCHEMAS.items()}
PROJECTS = [path.parent for place in ("examples", "benchmarks", "docs", "tests/stories") for path in (ROOT / place).rglob("segue.yaml")]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return float(value) if isinstance(value, Decimal) else value


def read(text: str) -> Any:
    document, problems = read_yaml(text.encode(), "file")
    assert document is not None
    assert problems == []
    return plain(document.data)


def errors(project: Path) -> Iterator[str]:
    for path in sorted(project.rglob("*.yaml")):
        kind = kind_of(path.relative_to(project))
        for error in CHECKS[kind].iter_errors(read(path.read_text())) if kind else ():
            yield f"{path.name}: {error.json_path}: {error.message[:200]}"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_of_draft_2020_12(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_every_file_of_our_own_projects_validates(project: Path) -> None:
    assert list(errors(project)) == []


@pytest.mark.parametrize("seed", range(30))
def test_every_file_of_a_random_project_validates(tmp_path: Path, seed: int) -> None:
    RandomProject(Random(seed)).write(tmp_path)
    assert list(errors(tmp_path)) == []


@pytest.mark.parametrize(
    "text",
    [
        "source: s\nfrom: {files: a.csv}\nfields: {event: a, subject: u, occurred_at: {from: b, format: ms}}\non_late: drop",
        "source: s\nkind: profiles\nfrom: {files: [a.csv]}\nfields: {subject: u, valid_from: b}\npayload: snapshot",
        "source: s\nkind: lookup\nfrom: {files: a.csv}\nkey: k\ncolumns: {a: int}",
        "source: s\nkind: consents\nfrom: {files: a.csv}\nfields: {subject: who}\nsilence_budget: 6h",
        "source: s\nkind: consents\nfrom: {files: a.csv}",
        "source: s\nkind: consents\nfrom: {kafka: {bootstrap: 'a:9092,b:9092', topic: consents, group: watched}}",
        "source: s\nkind: consents\nfrom: {kafka: {bootstrap: '${BROKERS}', topic: '${STAGE}-consents'}}",
    ],
)
def test_a_source_of_each_kind_validates(text: str) -> None:
    assert [error.message for error in CHECKS["source"].iter_errors(read(text))] == []


def segment(when: str, more: str = "") -> str:
    return f"segment: some\npurpose: ads\nwhen: {when}\n{more}"


@pytest.mark.parametrize(
    "text",
    [
        segment("{did: {event: a, count: 3, window: 7d}}"),
        segment("{did: {event: [a, b], where: x > 1, window: {calendar: {last: 2, unit: week}}}}"),
        segment("{not: {property: {age: '>= 18', vip: true, missing: false}}}"),
        segment("{in_segment: other}", "population: {active_in: 90d}\npublish: false"),
        segment("{did: {event: a}}", "expectations: {size: '>= 100', share: between 1% and 50%}"),
        segment("{did: {event: a}}", "tests: [{name: n, events: [[0d, a, {x: 1}]], expect: [{at: 1d, member: true}]}]"),
        segment("{did: {event: a}}", "tests: [{name: n, events: [{at: -2d, event: a, x: 1}], expect: [{at: 2026-01-01, member: false}]}]"),
    ],
)  # fmt: skip
def test_what_is_right_validates(text: str) -> None:
    assert [error.message for error in CHECKS["segment"].iter_errors(read(text))] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("segment", segment(when)) for when in (
            "{dod: {event: a}}",
            "{did: {event: a}, not: {did: {event: b}}}",
            "{did: {event: a, windo: 7d}}",
            "{did: {window: 7d}}",
            "{did: {event: a, window: 1 month}}",
            "{did: {event: a, window: {last: 0d}}}",
            "{did: {event: a, window: {calendar: {unit: fortnight}}}}",
            "{did: {event: a, count: three}}",
            "{did: {event: a, missing: true}}",
            "{all: {did: {event: a}}}",
            "{any: []}",
            "{property: {}}",
            "{property: {country: DE}}",
            "{geo: {event: a, within_km: -1, of: [52, 13]}}",
            "{geo: {event: a, within_km: 1, of: [152, 13]}}",
            "{sequence: {steps: [a]}}",
            "{lifecycle: {event: a, period: 7d, in: [asleep]}}",
        )),
        ("segment", "segment: some\nwhen: {did: {event: a}}"),
        ("segment", segment("{did: {event: a}}").replace("some", "Some Segment")),
        ("segment", segment("{did: {event: a}}", "population: everybody")),
        ("segment", segment("{did: {event: a}}", "population: {active_in: 7d, in_segment: b}")),
        ("segment", segment("{did: {event: a}}", "tests: [{name: n, expect: []}]")),
        ("segment", segment("{did: {event: a}}", "tests: [{name: n, expect: [{at: 1d, membr: true}]}]")),
        ("features", "features: f\npurpose: p\nsource: a\naggregates: [{name: n, op: sum}]"),
        ("features", "features: f\npurpose: p\nsource: a\naggregates: [{name: n, op: count, of: x}]"),
        ("features", "features: f\npurpose: p\nsource: a\naggregates: [{name: n, op: summ, of: x}]"),
        ("features", "features: f\npurpose: p\nsource: a\naggregates: [{name: n, op: count, windows: [{session: {gap: 5m}}]}]"),
        ("features", "features: f\npurpose: p\nsource: a\naggregates: []"),
        ("source", "source: s\nkind: event\nfrom: {files: a.csv}"),
        ("source", "source: s\nfrom: {files: a.csv}\nproperties: {a: varchar}"),
        ("source", "source: s\nfiles: a.csv"),
        ("source", "source: s\nfrom: {files: a.csv}"),
        ("source", "source: s\nkind: consents\nfrom: {}"),
        ("source", "source: s\nkind: consents\nfrom: {kafka: {bootstrap: broker, topic: consents}}"),
        ("source", "source: s\nkind: consents\nfrom: {kafka: {bootstrap: 'a:9092', topic: 'a/b'}}"),
        ("source", "source: s\nkind: consents\nfrom: {files: a.csv, kafka: {bootstrap: 'a:9092', topic: consents}}"),
        ("source", "source: s\nkind: lookup\nfrom: {kafka: {bootstrap: 'a:9092', topic: t}}\nkey: k\ncolumns: {a: int}"),
        ("source", "source: s\nfrom: {files: a.csv}\nfields: {event: a, occurred_at: b}"),
        ("source", "source: s\nfrom: {files: a.csv}\nfields: {event: a, subject: u, occured_at: b}"),
        ("source", "source: s\nkind: profiles\nfrom: {files: a.csv}\nfields: {event: a, subject: u, valid_from: b}"),
        ("source", "source: s\nkind: profiles\nfrom: {files: a.csv}\nfields: {subject: u, valid_from: b}\non_late: drop"),
        ("source", "source: s\nkind: lookup\nfrom: {files: a.csv}\nkey: k"),
        ("source", "source: s\nkind: consents\nfrom: {files: a.csv}\nproperties: {a: int}"),
        ("purposes", "purposes: [{id: p}]"),
        ("purposes", "purposes: [{id: p, basis: because}]"),
        ("purposes", "purposes: [{id: p, basis: consent, max_lookback: 2 years}]"),
        ("segue", "name: n\ntargets: {}"),
        ("segue", "name: n\ntargets: {dev: {warehouse: lake}}"),
        ("segue", "name: n\ntargets: {dev: {warehouse: 'ducklake:x', runner: spark}}"),
    ],
)  # fmt: skip
def test_a_mistake_that_is_made_does_not_validate(kind: str, text: str) -> None:
    assert list(CHECKS[kind].iter_errors(read(text))) != []


def test_every_operator_is_described_to_the_editor() -> None:
    node = SCHEMAS["segment"]["$defs"]["node"]
    assert node["maxProperties"] == node["minProperties"] == 1
    assert sorted(node["properties"]) == sorted(language().operators)
    assert [name for name, one in node["properties"].items() if not one.get("description")] == []
