"""Sources: how raw records become events, profiles, consents, scores and lookups."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field as Bounded
from pydantic import GetJsonSchemaHandler, PlainValidator, StrictStr, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from schemas import identity
from schemas.definitions.datatype import AnyDataType, DataType
from schemas.definitions.duration import Duration, DurationOrZero
from schemas.definitions.expression import AnyFieldExpression, Expression, quoted
from schemas.definitions.instant import Timezone
from schemas.definitions.name import Name
from schemas.definitions.refusal import listed, nearest_to, refuse, refuse_at, show
from schemas.definitions.source_expectations import SourceExpectations
from schemas.definitions.source_kinds import EITHER, FIELDS, KEYS, OWN_NAMES, REQUIRED, Kind, of_kind
from schemas.definitions.strict import Strict
from schemas.definitions.whence import Kafka, Whence

Normaliser = Literal["trim", "lower"]
FORMATS = ("iso", "date", "s", "ms", "us")
_DIRECTIVE = re.compile(r"%(-?[a-zA-Z%])")
_DIRECTIVES = frozenset(("-d", "-m", "-y", "-H", "-I", "-M", "-S", "-j", *"aAwdbBmyYHIpMSfgnzZjUWGuVcxX%"))
DEFAULT_SKEW = 5 * 60 * 1_000_000

INSTANTS = ("occurred_at", "received_at", "valid_from", "claimed_at", "expires_at", "linked_at")
"""The fields that are instants."""
BUILT_IN = frozenset(
    {"source", "subject", "event", "event_id", "occurred_at", "received_at", "record_hash", "run_id", "position"}
    | {"valid_from", "payload", "explicit_nulls", "replaces", "age", "file_row_number"}
)
"""Names that no property may have."""


@dataclass(frozen=True)
class Field:
    """Where a field comes from: an expression over the raw record; for instants also how they are written."""

    expression: Expression
    format: str = "iso"
    timezone: str | None = None


@dataclass(frozen=True)
class Property:
    """A declared property: its type, and the expression that gives it."""

    expression: Expression
    type: DataType


class _FieldForm(Strict):
    from_: AnyFieldExpression = Bounded(alias="from")
    format: StrictStr = "iso"
    timezone: Timezone | None = None

    @field_validator("format")
    @classmethod
    def _is_one(cls, value: str) -> str:
        unknown = [found for found in _DIRECTIVE.findall(value) if found not in _DIRECTIVES]
        if value not in FORMATS and (
            "%" not in value or unknown or value.count("%") > 2 * len(_DIRECTIVE.findall(value))
        ):
            expected = f"{', '.join(FORMATS)} or a strptime pattern"
            nearest = nearest_to(value, FORMATS)
            raise refuse("SEG-0407", "no such format", expected=expected, found=show(value), nearest=nearest)
        return value


class _PropertyForm(Strict):
    from_: AnyFieldExpression | None = Bounded(default=None, alias="from")
    type: AnyDataType


def _field(value: Any, info: ValidationInfo) -> Field:
    if isinstance(value, dict):
        form = _FieldForm.model_validate(value, context=info.context)
        return Field(form.from_, form.format, form.timezone)
    if not isinstance(value, str):
        raise refuse(
            "SEG-0103", "a field is an expression", expected="SQL, or {from: SQL, format: iso}", found=show(value)
        )
    return Field(Expression.parse_field(value))


def _property(value: Any, info: ValidationInfo) -> Property | DataType:
    if isinstance(value, dict):
        form = _PropertyForm.model_validate(value, context=info.context)
        return form.type if form.from_ is None else Property(form.from_, form.type)
    if not isinstance(value, str):
        raise refuse("SEG-0113", "no such type", expected="a type, or {from: SQL, type: TYPE}", found=show(value))
    return DataType.parse(value)


_AnyField = Annotated[Field, PlainValidator(_field, json_schema_input_type=AnyFieldExpression | _FieldForm)]
_AnyProperty = Annotated[Property | DataType, PlainValidator(_property, json_schema_input_type=AnyDataType | _PropertyForm)]


class LookupUse(Strict):
    """Columns taken from a lookup by a key of the record."""

    on: str
    take: Annotated[tuple[Name, ...], Bounded(min_length=1)]


class Normalise(Strict):
    """How ids are made equal before anything else sees them."""

    subject: tuple[Normaliser, ...] = ()


_Error = tuple[tuple[str | int, ...], PydanticCustomError]
_PLURALS = {**{kind: kind for kind in FIELDS}, "lookup": "a lookup"}


class SourceForm(Strict):
    """A file of `sources/`."""

    source: Name
    kind: Kind = "events"
    description: str = ""
    from_: Whence = Bounded(alias="from")
    fields: dict[str, _AnyField] = Bounded(default_factory=dict)
    properties: dict[Name, _AnyProperty] = Bounded(default_factory=dict)
    columns: dict[Name, AnyDataType] = Bounded(default_factory=dict)
    key: str | None = None
    lookups: dict[Name, LookupUse] = Bounded(default_factory=dict)
    allowed_lateness: DurationOrZero | None = None
    on_late: Literal["correct", "quarantine", "drop"] = "correct"
    max_future_skew: DurationOrZero = DEFAULT_SKEW
    normalise: Normalise = Normalise()
    timezone: Timezone = "UTC"
    payload: Literal["snapshot", "delta"] = "delta"
    clock: Literal["trusted", "untrusted"] = "untrusted"
    silence_budget: Duration | None = None
    max_links: Annotated[int, Bounded(strict=True, ge=2)] = identity.MOST
    blocked: tuple[StrictStr, ...] = identity.BLOCKED
    expect: SourceExpectations = SourceExpectations()

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """What the keys take, and what each kind makes of them."""
        return {**handler(core), "allOf": [of_kind(kind) for kind in FIELDS]}

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "SourceForm":
        errors = [*self._foreign_keys(), *self._foreign_fields(), *self._missing()]
        if errors:
            raise refuse_at(errors)
        return self

    def _foreign_keys(self) -> list[_Error]:
        """Keys that say nothing to a source of this kind."""
        return [
            (
                (key,),
                refuse("SEG-0408", f"`{key}` says nothing to {_PLURALS[self.kind]}", expected=f"kind: {listed(kinds)}"),
            )
            for key, kinds in KEYS.items()
            if key in self.model_fields_set and self.kind not in kinds
        ]

    def _foreign_fields(self) -> list[_Error]:
        """Fields that a source of this kind does not have, and formats of what is no instant."""
        known = FIELDS[self.kind]
        errors: list[_Error] = []
        for name, one in self.fields.items():
            if name not in known and known:
                message, nearest = f"`{show(name)}` is no field of {_PLURALS[self.kind]}", nearest_to(name, known)
                errors.append((("fields", name), refuse("SEG-0408", message, expected=listed(known), nearest=nearest)))
            elif name not in INSTANTS and (one.format != "iso" or one.timezone is not None):
                errors.append(
                    (("fields", name), refuse("SEG-0408", f"`{name}` is no instant", expected="from: SQL alone"))
                )
        return errors

    def _missing(self) -> list[_Error]:
        """Fields without which there is no record, and the key of a lookup."""
        absent = [name for name in REQUIRED[self.kind] if name not in self.fields]
        errors: list[_Error] = [
            (("fields",), refuse("SEG-0408", f"{_PLURALS[self.kind]} need `{name}`", expected=f"{name}: SQL"))
            for name in absent
        ]
        either = EITHER.get(self.kind, ())
        if either and not set(either) & set(self.fields):
            message = f"{_PLURALS[self.kind]} need {' or '.join(f'`{name}`' for name in either)}"
            errors.append((("fields",), refuse("SEG-0408", message, expected=f"{either[0]}: SQL")))
        if self.kind == "lookup" and self.key is None:
            errors.append(
                (("key",), refuse("SEG-0101", "a lookup needs its key", expected="key: a column of its files"))
            )
        if self.kind == "lookup" and not self.columns:
            errors.append(
                (("columns",), refuse("SEG-0101", "a lookup needs columns", expected="columns: {name: type}"))
            )
        if self.kind == "lookup" and not self.from_.files:
            message = "a lookup is read whole: it can be neither a topic nor a table"
            key = next(name for name in ("kafka", "table", "bigquery") if getattr(self.from_, name))
            errors.append((("from", key), refuse("SEG-0408", message, expected="from: {files: PATTERN}")))
        if self.from_.bigquery and "event_id" not in self.fields:
            message = "rows of BigQuery have no number that stays: their ids must be told"
            errors.append((("fields",), refuse("SEG-0408", message, expected="event_id: SQL")))
        return errors


@dataclass(frozen=True)
class Source:
    """One source, resolved. Durations are microseconds.

    Attributes:
      files: globs, relative to the project; none where its records come from a topic.
      kafka: the topic, its variables not filled in; None where they come from elsewhere.
      table, bigquery: the address of a table, its variables not filled in; empty where they come from elsewhere.
      fields: the canonical columns by name; of consents and identities, those not mapped are read from columns of their own name.
      properties: declared properties, those taken from lookups left out.
      columns, key: of a lookup.
      normalise: what is done to subject ids.
      max_links: how many ids may be one subject.
      blocked: ids, in lower case, that no link may lead from or to.
    """

    name: str
    kind: Kind
    description: str
    files: tuple[str, ...]
    kafka: Kafka | None
    table: str
    bigquery: str
    fields: dict[str, Field]
    properties: dict[str, Property]
    columns: dict[str, DataType]
    key: str | None
    lookups: dict[str, LookupUse]
    allowed_lateness: int | None
    on_late: Literal["correct", "quarantine", "drop"]
    max_future_skew: int
    normalise: tuple[Normaliser, ...]
    timezone: str
    payload: Literal["snapshot", "delta"]
    clock: Literal["trusted", "untrusted"]
    silence_budget: int | None
    max_links: int
    blocked: frozenset[str]
    expect: SourceExpectations
    file: str


def resolve_source(form: SourceForm, file: str) -> Source:
    """The source that a form describes."""
    fields = dict(form.fields)
    unmapped = [name for name in OWN_NAMES.get(form.kind, ()) if name not in fields]
    fields |= {name: Field(Expression.parse_field(quoted(name))) for name in unmapped}
    properties = {
        name: part if isinstance(part, Property) else Property(Expression.parse_field(quoted(name)), part)
        for name, part in form.properties.items()
    }
    return Source(
        name=form.source,
        kind=form.kind,
        description=form.description,
        files=form.from_.files,
        kafka=form.from_.kafka,
        table=form.from_.table,
        bigquery=form.from_.bigquery,
        fields=fields,
        properties=properties,
        columns=dict(form.columns),
        key=form.key,
        lookups=dict(form.lookups),
        allowed_lateness=form.allowed_lateness,
        on_late=form.on_late,
        max_future_skew=form.max_future_skew,
        normalise=form.normalise.subject,
        timezone=form.timezone,
        payload=form.payload,
        clock=form.clock,
        silence_budget=form.silence_budget,
        max_links=form.max_links,
        blocked=frozenset(text.lower() for text in form.blocked),
        expect=form.expect,
        file=file,
    )
