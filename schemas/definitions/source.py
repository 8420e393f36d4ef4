"""Sources: how raw records become events, profiles, consents and lookups."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field as Bounded
from pydantic import PlainValidator, StrictStr, ValidationInfo, field_validator, model_validator

from schemas.definitions.comparison import PercentComparison
from schemas.definitions.datatype import AnyDataType, DataType
from schemas.definitions.duration import Duration, DurationOrZero
from schemas.definitions.expression import AnyFieldExpression, Expression, quoted
from schemas.definitions.instant import Timezone
from schemas.definitions.name import Name
from schemas.definitions.refusal import listed, nearest_to, refuse, show
from schemas.definitions.strict import Strict

Kind = Literal["events", "profiles", "consents", "lookup"]
Normaliser = Literal["trim", "lower"]
FORMATS = ("iso", "date", "s", "ms", "us")
DEFAULT_SKEW = 5 * 60 * 1_000_000

_REQUIRED: dict[str, tuple[str, ...]] = {
    "events": ("event", "subject", "occurred_at"),
    "profiles": ("subject", "valid_from"),
    "consents": ("event_id", "subject", "purpose", "action", "claimed_at"),
    "lookup": (),
}
_CONSENT_COLUMNS = (
    *("event_id", "subject", "purpose", "action", "claimed_at", "received_at", "scope", "purpose_major", "channel"),
    *("claimed_precision", "expires_at", "payload_kind", "method", "actor", "retroactive", "jurisdiction"),
    *("notice_version", "raw_sha256"),
)
_FIELDS: dict[str, tuple[str, ...]] = {
    "events": ("event_id", "event", "subject", "occurred_at", "received_at"),
    "profiles": ("subject", "valid_from", "received_at"),
    "consents": _CONSENT_COLUMNS,
    "lookup": (),
}
INSTANTS = ("occurred_at", "received_at", "valid_from", "claimed_at", "expires_at")
"""The fields that are instants."""
BUILT_IN = frozenset(
    {"source", "subject", "event", "event_id", "occurred_at", "received_at", "record_hash", "run_id", "position"}
    | {"valid_from", "payload", "explicit_nulls", "replaces", "age"}
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
        if value not in FORMATS and "%" not in value:
            expected = f"{', '.join(FORMATS)} or a strptime pattern"
            raise refuse("SEG-0407", "no such format", expected=expected, found=show(value), nearest=nearest_to(value, FORMATS))
        return value


class _PropertyForm(Strict):
    from_: AnyFieldExpression = Bounded(alias="from")
    type: AnyDataType


def _field(value: Any, info: ValidationInfo) -> Field:
    if isinstance(value, dict):
        form = _FieldForm.model_validate(value, context=info.context)
        return Field(form.from_, form.format, form.timezone)
    if not isinstance(value, str):
        raise refuse("SEG-0103", "a field is an expression", expected="SQL, or {from: SQL, format: iso}", found=show(value))
    return Field(Expression.parse_field(value))


def _property(value: Any, info: ValidationInfo) -> Property | DataType:
    if isinstance(value, dict):
        form = _PropertyForm.model_validate(value, context=info.context)
        return Property(form.from_, form.type)
    if not isinstance(value, str):
        raise refuse("SEG-0113", "no such type", expected="a type, or {from: SQL, type: TYPE}", found=show(value))
    return DataType.parse(value)


class LookupUse(Strict):
    """Columns taken from a lookup by a key of the record."""

    on: str
    take: tuple[Name, ...]


class SourceExpectations(Strict):
    """What a source must deliver: how fresh, and how much of it may be set aside."""

    freshness: Duration | None = None
    quarantined: PercentComparison | None = None


class _Files(Strict):
    files: str | tuple[str, ...]


class Normalise(Strict):
    """How ids are made equal before anything else sees them."""

    subject: tuple[Normaliser, ...] = ()


class SourceForm(Strict):
    """A file of `sources/`."""

    source: Name
    kind: Kind = "events"
    description: str = ""
    from_: _Files = Bounded(alias="from")
    fields: dict[str, Annotated[Field, PlainValidator(_field)]] = {}
    properties: dict[Name, Annotated[Property | DataType, PlainValidator(_property)]] = {}
    columns: dict[Name, AnyDataType] = {}
    key: str | None = None
    lookups: dict[Name, LookupUse] = {}
    allowed_lateness: DurationOrZero | None = None
    on_late: Literal["correct", "quarantine", "drop"] = "correct"
    max_future_skew: DurationOrZero = DEFAULT_SKEW
    normalise: Normalise = Normalise()
    timezone: Timezone = "UTC"
    payload: Literal["snapshot", "delta"] = "delta"
    clock: Literal["trusted", "untrusted"] = "untrusted"
    silence_budget: Duration | None = None
    expect: SourceExpectations = SourceExpectations()

    @model_validator(mode="after")
    def _has_the_fields_of_its_kind(self) -> "SourceForm":
        known = _FIELDS[self.kind]
        for name in self.fields:
            if name not in known:
                raise refuse("SEG-0408", f"`{show(name)}` is no field of {self.kind}", expected=listed(known), nearest=nearest_to(name, known))
        missing = [name for name in _REQUIRED[self.kind] if name not in self.fields and self.kind != "consents"]
        if missing:
            raise refuse("SEG-0408", f"{self.kind} need `{missing[0]}`", expected=f"fields: {{{missing[0]}: …}}")
        if self.kind == "lookup" and self.key is None:
            raise refuse("SEG-0410", "a lookup needs its key", expected="key: the column that records name")
        return self


@dataclass(frozen=True)
class Source:
    """One source, resolved. Durations are microseconds.

    Attributes:
      files: globs, relative to the project.
      fields: the canonical columns by name; of consents, those not mapped are read from columns of their own name.
      properties: declared properties, those taken from lookups left out.
      columns, key: of a lookup.
      normalise: what is done to subject ids.
    """

    name: str
    kind: Kind
    description: str
    files: tuple[str, ...]
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
    expect: SourceExpectations
    file: str


def resolve_source(form: SourceForm, file: str) -> Source:
    """The source that a form describes."""
    fields = dict(form.fields)
    if form.kind == "consents":
        unmapped = [name for name in _CONSENT_COLUMNS if name not in fields]
        fields |= {name: Field(Expression.parse_field(quoted(name))) for name in unmapped}
    properties = {
        name: part if isinstance(part, Property) else Property(Expression.parse_field(quoted(name)), part)
        for name, part in form.properties.items()
    }
    files = form.from_.files
    return Source(
        name=form.source,
        kind=form.kind,
        description=form.description,
        files=(files,) if isinstance(files, str) else files,
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
        expect=form.expect,
        file=file,
    )
