"""Whence the records of a source come: from files, a topic of Kafka, or a table of a warehouse."""

import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, PlainValidator, model_validator
from pydantic import Field as Bounded

from schemas.definitions.refusal import refuse, show
from schemas.definitions.strict import Strict

_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
TOPIC = r"[A-Za-z0-9._-]{1,249}"
"""What brokers take as the name of a topic."""
_ADDRESS = r"[^\s,]+:[0-9]{1,5}"
BOOTSTRAP = rf"{_ADDRESS}(,{_ADDRESS})*"
"""Where brokers are asked for."""


def _patterns(value: Any) -> tuple[str, ...]:
    patterns = value if isinstance(value, list) else [value]
    if not patterns or not all(isinstance(pattern, str) and pattern for pattern in patterns):
        raise refuse("SEG-0103", "no pattern of files", expected="a pattern, or a list of them", found=show(value))
    return tuple(patterns)


def _text(rule: str, expected: str, what: str = "topic") -> Any:
    """A text that fits the rule, or has variables in it that are filled when it is needed."""
    allowed = rf"^({rule}|.*{_VARIABLE}.*)$"

    def read(value: Any) -> str:
        if not isinstance(value, str) or re.fullmatch(allowed, value) is None:
            raise refuse("SEG-0415", f"no address of a {what}", expected=expected, found=show(value))
        return value

    return PlainValidator(read, json_schema_input_type=Annotated[str, Bounded(pattern=allowed)])


TABLE = r"(duckdb|ducklake):[^#]+#\w+(\.\w+)?"
"""A file of DuckDB, or the folder of a DuckLake, and a table in it."""
DATASET_TABLE = r"[a-z][a-z0-9:.-]*\.\w+\.[\w-]+"
"""Project, dataset and table of BigQuery."""
_Pattern = Annotated[str, Bounded(min_length=1)]


class Kafka(Strict):
    """A topic of Kafka: where its brokers are asked for, and in whose name it is read. `${NAME}` is read from the environment.

    `on_lost` says what becomes of a run that finds records deleted which it has not read: it stops, or it goes on without them.
    """

    bootstrap: Annotated[str, _text(BOOTSTRAP, "host:port, several of them with commas, or ${NAME}")]
    topic: Annotated[str, _text(TOPIC, "letters, digits, dots, dashes and underscores, or ${NAME}")]
    group: Annotated[str, _text(r"\S+", "the name of a group, or ${NAME}")] = ""
    on_lost: Literal["stop", "skip"] = "stop"


class Whence(Strict):
    """Where records come from: exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    files: Annotated[tuple[str, ...], PlainValidator(_patterns, json_schema_input_type=_Pattern | list[_Pattern])] = ()
    kafka: Kafka | None = None
    table: Annotated[str, _text(TABLE, "duckdb:FILE#TABLE, ducklake:DIR#TABLE, or ${NAME}", "table")] = ""
    bigquery: Annotated[str, _text(DATASET_TABLE, "PROJECT.DATASET.TABLE, or ${NAME}", "table")] = ""

    @model_validator(mode="after")
    def _is_one(self) -> "Whence":
        expected = "files: PATTERN, kafka: {bootstrap: HOST:PORT, topic: NAME}, table: ADDRESS#TABLE or bigquery: TABLE"
        said = [one for one in (self.files, self.kafka, self.table, self.bigquery) if one]
        if not said:
            raise refuse("SEG-0101", "it is not said where records come from", expected=expected)
        if len(said) > 1:
            raise refuse("SEG-0100", "records come from one place, not from several", expected=expected)
        return self
