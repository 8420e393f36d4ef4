"""What a condition may look like: the schema for editors takes and refuses what the reader does."""

import json
from random import Random
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from runners.schema_files import schema_files
from tests.support.generator import Generator
from tests.support.worlds import language
from tests.transforms.algebra.test_every_pair import LEAVES
from tests.transforms.algebra.test_operators import NODE

SHAPES = 20


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    (text,) = [text for name, text in schema_files(language()).items() if name.startswith("segment.")]
    return jsonschema.Draft202012Validator(json.loads(text))


def segment(when: dict[str, Any]) -> dict[str, Any]:
    return {"segment": "some", "purpose": "ads", "when": when}


@pytest.mark.parametrize("op", LEAVES)
def test_whatever_an_operator_takes_its_schema_takes(schema: jsonschema.Draft202012Validator, op: str) -> None:
    drawn = Generator(Random(op))
    for _ in range(SHAPES):
        leaf = drawn.leaf(op, ["other"])
        assert NODE.validate_python(leaf, context=language().context("UTC"))
        assert [error.message for error in schema.iter_errors(segment(leaf))] == [], leaf


@pytest.mark.parametrize(
    "when",
    [
        {"in_segment": "other"},
        {"in_segment": {"segment": "other"}},
        {"property": {"country": "= 'DE'"}},
        {"property": {"country": "= 'DE'", "vip": True, "missing": "unknown"}},
        {"not": {"in_segment": "other"}},
        {"all": [{"in_segment": "other"}]},
        {"any": [{"in_segment": "other"}, {"property": {"vip": True}}]},
    ],
)
def test_both_take(schema: jsonschema.Draft202012Validator, when: dict[str, Any]) -> None:
    assert NODE.validate_python(when, context=language().context("UTC"))
    assert [error.message for error in schema.iter_errors(segment(when))] == []


@pytest.mark.parametrize(
    "when",
    [
        {"in_segment": {"segment": "other", "more": 1}},
        {"in_segment": {}},
        {"in_segment": 3},
        {"property": {}},
        {"property": {"missing": True}},
        {"property": {"country": ["DE"]}},
        {"property": {"country": "= 'DE'", "missing": "perhaps"}},
        {"not": {"in_segment": "other", "property": {"vip": True}}},
        {"not": [{"in_segment": "other"}]},
        {"all": []},
        {"any": []},
        {"any": {"in_segment": "other"}},
        {"unheard_of": {"event": "a"}},
        {},
    ],
)
def test_both_refuse(schema: jsonschema.Draft202012Validator, when: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NODE.validate_python(when, context=language().context("UTC"))
    assert not schema.is_valid(segment(when))
