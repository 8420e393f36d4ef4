"""Purposes: what data may be used for, on which basis, and for how long."""

from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, PlainValidator, StrictInt, ValidationInfo, field_validator, model_validator

from schemas.definitions.duration import Duration
from schemas.definitions.instant import Instant
from schemas.definitions.name import Name, parse_name
from schemas.definitions.refusal import refuse, refuse_at, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import Takes

Basis = Literal["consent", "legitimate_interest"]
Channel = Literal["email", "sms", "push", "phone", "post", "onsite", "ads"]


BEGINNING = -(1 << 63)
"""Before every instant."""


class _VersionForm(Strict):
    major: Annotated[StrictInt, Field(ge=1)]
    introduced_at: Instant = BEGINNING


class Version(NamedTuple):
    """A major version of a purpose, and when it was introduced: from the beginning where it is not said."""

    major: int
    introduced_at: int


def _version(value: Any, info: ValidationInfo) -> Version:
    form = _VersionForm.model_validate(value, context=info.context)
    return Version(form.major, form.introduced_at)


AnyVersion = Annotated[Version, PlainValidator(_version, json_schema_input_type=_VersionForm)]


def _for_all(value: Any) -> Any:
    """A bare basis is that of all jurisdictions."""
    if isinstance(value, str):
        return {"default": value}
    if isinstance(value, dict) and "default" not in value:
        raise refuse("SEG-0101", "a basis for all others is missing", expected="default: consent")
    return value


class Purpose(Strict):
    """One purpose of the registry. Durations are microseconds.

    Attributes:
      basis: by jurisdiction (the profile's country), `default` for the others.
      versions: the major versions, rising; none means major 1 from the beginning.
      max_grant_age: when a grant ends at the latest.
      max_lookback: how far back events count.
      min_age: the age that must have been reached both at the event and at T; grants of minors then need a parent.
    """

    id: Name
    description: str = ""
    basis: Annotated[dict[str, Basis], BeforeValidator(_for_all, json_schema_input_type=Basis | dict[str, Basis])]
    versions: tuple[AnyVersion, ...] = ()
    channels: tuple[Channel, ...] = ()
    max_grant_age: Duration | None = None
    max_lookback: Duration | None = None
    retention: Duration | None = None
    min_age: Annotated[StrictInt, Field(ge=0, le=150)] | None = None
    on_withdraw: Literal["freeze", "erase"] = "freeze"

    @field_validator("versions")
    @classmethod
    def _rise(cls, versions: tuple[Version, ...]) -> tuple[Version, ...]:
        if any(a.major >= b.major or a.introduced_at >= b.introduced_at for a, b in pairwise(versions)):
            raise refuse("SEG-0115", "versions do not rise", expected="majors and instants in rising order")
        return versions

    @property
    def asks_country(self) -> bool:
        """Whether the basis depends on where somebody is."""
        return len(set(self.basis.values())) > 1

    @property
    def asks_profiles(self) -> bool:
        """Whether a birth date or a country decides."""
        return self.min_age is not None or self.asks_country

    @property
    def needs_consent(self) -> bool:
        """Whether any jurisdiction rests on consent."""
        return "consent" in self.basis.values()


class RegistryForm(Strict):
    """The file `purposes.yaml`."""

    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _are_different(self) -> "RegistryForm":
        ids = [purpose.id for purpose in self.purposes]
        errors = [
            (
                ("purposes", index, "id"),
                refuse("SEG-0300", f"the purpose `{name}` is defined twice", expected="each once"),
            )
            for index, name in enumerate(ids)
            if name in ids[:index]
        ]
        if errors:
            raise refuse_at(errors)
        return self


def _read(value: Any, info: ValidationInfo) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if not names:
        raise refuse("SEG-0115", "no purpose", expected="a name or a list of names", found="an empty list")
    read = [parse_name(name) for name in names]
    if len(set(read)) < len(read):
        raise refuse("SEG-0115", "a purpose is named twice", expected="each once", found=show(read[0]))
    return tuple(sorted(read))


_NAMES = PlainValidator(_read, json_schema_input_type=Name | Annotated[list[Name], Field(min_length=1)])
Purposes = Annotated[tuple[str, ...], _NAMES, Takes("a purpose, or a list of which all must be open")]
"""A field that holds the names of purposes, sorted: one, or a list of which all must be open."""
