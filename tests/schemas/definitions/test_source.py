import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.definitions.datatype import DataType
from schemas.definitions.source import Source, SourceForm, resolve_source

EVENTS = {
    "source": "clicks",
    "kind": "events",
    "from": {"files": "data/*.csv"},
    "fields": {"event": "name", "subject": "user.id", "occurred_at": "at"},
}
PEOPLE = {
    "source": "people",
    "kind": "profiles",
    "from": {"files": "p.csv"},
    "fields": {"subject": "id", "valid_from": "at"},
}
LEDGER = {"source": "ledger", "kind": "consents", "from": {"files": "c.csv"}}
SCORES = {
    "source": "models",
    "kind": "scores",
    "from": {"files": "s.csv"},
    "fields": {"subject": "id", "model": "'churn'", "value": "p", "valid_from": "at"},
}
LOOKUP = {
    "source": "products",
    "kind": "lookup",
    "from": {"files": "p.csv"},
    "key": "id",
    "columns": {"brand": "string"},
}

TOPIC = {"bootstrap": "a:9092,b:9092", "topic": "orders", "group": "watched"}


def read(base: dict[str, Any], **more: dict[str, Any] | str | None) -> Source | None:
    return resolve_source(SourceForm.model_validate({**base, **more}), "sources/x.yaml")


def errors(base: dict[str, Any], **more: dict[str, Any] | str | None) -> list[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as refused:
        read(base, **more)
    return [(error["type"], *error["loc"]) for error in refused.value.errors()]


def test_fields_are_expressions_over_the_raw_record() -> None:
    source = read(EVENTS)
    assert (source.fields["subject"].expression.sql, source.fields["occurred_at"].format) == ('"user.id"', "iso")


def test_an_instant_may_say_how_it_is_written() -> None:
    field = {"from": "at", "format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}
    assert (
        read(EVENTS, fields={**EVENTS["fields"], "occurred_at": field}).fields["occurred_at"].timezone
        == "Europe/Berlin"
    )


def test_a_property_is_read_from_its_own_name_unless_it_says_otherwise() -> None:
    source = read(
        EVENTS,
        properties={
            "order": "string",
            "amount": {"from": "total / 100", "type": "decimal(12,2)"},
            "n": {"type": "int"},
        },
    )
    assert [one.expression.sql for one in source.properties.values()] == ['"order"', '("total" / 100)', '"n"']
    assert source.properties["amount"].type == DataType.decimal(12, 2)


def test_consents_have_the_ledgers_columns_where_nothing_else_is_said() -> None:
    source = read(LEDGER, fields={"subject": "person"})
    assert (source.fields["subject"].expression.sql, source.fields["action"].expression.sql) == ('"person"', '"action"')


def test_files_are_one_pattern_or_several() -> None:
    assert read(EVENTS).files == ("data/*.csv",) and read(EVENTS, **{"from": {"files": ["a.csv", "b.csv"]}}).files == (
        "a.csv",
        "b.csv",
    )


@pytest.mark.parametrize("base", [EVENTS, PEOPLE, LEDGER, SCORES], ids=lambda base: base["kind"])
def test_facts_of_every_kind_may_come_from_a_topic(base: dict[str, Any]) -> None:
    source = read(base, **{"from": {"kafka": TOPIC}})
    assert (source.files, source.kafka.topic, source.kafka.bootstrap) == ((), "orders", "a:9092,b:9092")


def test_an_address_from_the_environment_stays_as_it_is_written() -> None:
    source = read(EVENTS, **{"from": {"kafka": {"bootstrap": "${BROKERS}", "topic": "${STAGE}-orders", "group": "${GROUP}"}}})
    assert (source.kafka.bootstrap, source.kafka.topic, source.kafka.group) == ("${BROKERS}", "${STAGE}-orders", "${GROUP}")


@pytest.mark.parametrize(
    ("base", "more", "found"),
    [
        (EVENTS, {"kind": "event"}, [("literal_error", "kind")]),
        (EVENTS, {"from": {"file": "x"}}, [("extra_forbidden", "from", "file")]),
        (EVENTS, {"from": {}}, [("SEG-0101", "from")]),
        (EVENTS, {"from": {"kafka": None}}, [("SEG-0101", "from")]),
        (EVENTS, {"from": {"files": "x", "kafka": TOPIC}}, [("SEG-0100", "from")]),
        (EVENTS, {"from": {"kafka": {"bootstrap": "b:9092"}}}, [("missing", "from", "kafka", "topic")]),
        (EVENTS, {"from": {"kafka": {**TOPIC, "bootstrap": "broker"}}}, [("SEG-0415", "from", "kafka", "bootstrap")]),
        (EVENTS, {"from": {"kafka": {**TOPIC, "topic": "or/ders"}}}, [("SEG-0415", "from", "kafka", "topic")]),
        (EVENTS, {"from": {"kafka": {**TOPIC, "group": ""}}}, [("SEG-0415", "from", "kafka", "group")]),
        (LOOKUP, {"from": {"kafka": TOPIC}}, [("SEG-0408", "from", "kafka")]),
        (EVENTS, {"from": {"files": []}}, [("SEG-0103", "from", "files")]),
        (EVENTS, {"from": {"files": [3]}}, [("SEG-0103", "from", "files")]),
        (EVENTS, {"fields": {"event": "name"}}, [("SEG-0408", "fields"), ("SEG-0408", "fields")]),
        (EVENTS, {"fields": {**EVENTS["fields"], "evnt_id": "x"}}, [("SEG-0408", "fields", "evnt_id")]),
        (
            EVENTS,
            {"fields": {**EVENTS["fields"], "event": {"from": "x", "format": "s"}}},
            [("SEG-0408", "fields", "event")],
        ),
        (
            EVENTS,
            {"fields": {**EVENTS["fields"], "occurred_at": {"from": "x", "format": "rfc"}}},
            [("SEG-0407", "fields", "occurred_at", "format")],
        ),
        (
            EVENTS,
            {"fields": {**EVENTS["fields"], "occurred_at": {"from": "x", "format": "%Q"}}},
            [("SEG-0407", "fields", "occurred_at", "format")],
        ),
        (EVENTS, {"fields": {**EVENTS["fields"], "subject": "now()"}}, [("SEG-0202", "fields", "subject")]),
        (EVENTS, {"fields": {**EVENTS["fields"], "subject": 3}}, [("SEG-0103", "fields", "subject")]),
        (EVENTS, {"properties": {"Amount": "int"}}, [("SEG-0104", "properties", "Amount", "[key]")]),
        (EVENTS, {"properties": {"amount": "money"}}, [("SEG-0113", "properties", "amount")]),
        (EVENTS, {"properties": {"amount": {"from": "x"}}}, [("missing", "properties", "amount", "type")]),
        (EVENTS, {"payload": "snapshot"}, [("SEG-0408", "payload")]),
        (EVENTS, {"clock": "trusted", "silence_budget": "6h"}, [("SEG-0408", "clock"), ("SEG-0408", "silence_budget")]),
        (EVENTS, {"allowed_lateness": "2 weeks"}, [("SEG-0109", "allowed_lateness")]),
        (EVENTS, {"on_late": "keep"}, [("literal_error", "on_late")]),
        (EVENTS, {"timezone": "Berlin"}, [("SEG-0111", "timezone")]),
        (EVENTS, {"normalise": {"subject": ["upper"]}}, [("literal_error", "normalise", "subject", 0)]),
        (EVENTS, {"expect": {"quarantined": "few"}}, [("SEG-0206", "expect", "quarantined")]),
        (PEOPLE, {"allowed_lateness": "1d"}, [("SEG-0408", "allowed_lateness")]),
        (LEDGER, {"properties": {"x": "int"}}, [("SEG-0408", "properties")]),
        (SCORES, {"fields": {"subject": "id", "model": "m", "valid_from": "at"}}, [("SEG-0408", "fields")]),
        (SCORES, {"fields": {"value": "p"}}, [("SEG-0408", "fields")] * 3),
        (SCORES, {"fields": {**SCORES["fields"], "score": "x"}}, [("SEG-0408", "fields", "score")]),
        (SCORES, {"fields": {**SCORES["fields"], "value": {"from": "x", "format": "s"}}}, [("SEG-0408", "fields", "value")]),
        (SCORES, {"properties": {"x": "int"}, "payload": "delta"}, [("SEG-0408", "properties"), ("SEG-0408", "payload")]),
        (SCORES, {"allowed_lateness": "1d"}, [("SEG-0408", "allowed_lateness")]),
        (LOOKUP, {"key": None}, [("SEG-0101", "key")]),
        (LOOKUP, {"columns": {}}, [("SEG-0101", "columns")]),
        (LOOKUP, {"fields": {"subject": "x"}}, [("SEG-0408", "fields")]),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(base: dict[str, Any], more: dict[str, Any], found: list[tuple[Any, ...]]) -> None:
    assert errors(base, **more) == found


def test_a_source_travels_to_workers() -> None:
    assert pickle.loads(pickle.dumps(read(EVENTS))) == read(EVENTS)
