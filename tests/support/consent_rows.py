"""Ledgers, profiles and purposes in the words of a test: instants are minutes, whatever is left out has its default."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas import consent
from schemas.definitions.datatype import DataType
from schemas.definitions.project import Project, Target
from schemas.definitions.purpose import Purpose, Version
from schemas.definitions.segment import KnownSubjects
from schemas.definitions.source import Source, SourceForm, resolve_source
from schemas.kinds import PROFILES

MINUTE = 60_000_000
COLUMNS = {
    name: DataType.parse(kind)
    for name, kind in {"country": "string", "timezone": "string", "birth_date": "date", "tags": "list(string)"}.items()
}
PROFILE = PROFILES.schema(COLUMNS)


def purpose(name: str = "ads", basis: str | dict[str, str] = "consent", **more: Any) -> Purpose:
    """A purpose as the registry resolves it; durations are microseconds, versions pairs of (major, introduced_at)."""
    bases: Any = {"default": basis} if isinstance(basis, str) else basis
    versions = tuple(Version(*pair) for pair in more.pop("versions", ()))
    return Purpose.model_construct(id=name, basis=bases, versions=versions, **more)


def source(name: str, kind: str, **more: Any) -> Source:
    return resolve_source(SourceForm.model_validate({"source": name, "kind": kind, "from": {"files": "*"}} | more), "")


def project(*purposes: Purpose, clock: str = "untrusted", timezone: str = "UTC") -> Project:
    """A project with sources `cmp` of consents and `crm` of profiles."""
    fields = {"subject": "subject", "valid_from": "valid_from"}
    properties = {"country": "string", "timezone": "string", "birth_date": "date", "tags": "list(string)"}
    crm = source("crm", "profiles", fields=fields, properties=properties)
    return Project(
        name="test",
        root=Path(),
        timezone=timezone,
        population=KnownSubjects(),
        as_of=None,
        target=Target("dev", "ducklake:lake", "local", 1),
        sources={"cmp": source("cmp", "consents", clock=clock), "crm": crm},
        purposes={each.id: each for each in purposes or (purpose(),)},
        features={},
        segments={},
        event_columns={},
        profile_columns=COLUMNS,
        order=(),
        lists={},
        areas={},
        meaning="",
        warnings=(),
    )


def minutes(value: float) -> int:
    return round(value * MINUTE)


def row(action: str, claimed: float, received: float | None = None, **more: Any) -> dict[str, Any]:
    """A consent row by minutes; its id is its action and instants unless one is given."""
    received = claimed if received is None else received
    known = {
        "source": "cmp",
        "subject": "ann",
        "event_id": f"{action}-{claimed}-{received}",
        "purpose": "ads",
        "action": action,
        "claimed_at": minutes(claimed),
        "received_at": minutes(received),
    }
    if "expires" in more:
        known["expires_at"] = minutes(more.pop("expires"))
    return known | more


def consents(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    hashed = [{**each, "record_hash": each.get("record_hash", content_hash(each))} for each in rows]
    return pa.Table.from_pylist(hashed, schema=consent.SCHEMA)


def profile(valid_from: float, subject: str = "ann", received: float | None = None, **more: Any) -> dict[str, Any]:
    """A profile row by minutes, a delta unless it says otherwise."""
    received = valid_from if received is None else received
    known = {"source": "crm", "subject": subject, "position": f"{valid_from}-{received}", "payload": "delta"}
    return known | {"valid_from": minutes(valid_from), "received_at": minutes(received)} | more


def profiles(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    hashed = [{**each, "record_hash": each.get("record_hash", content_hash(each))} for each in rows]
    return pa.Table.from_pylist(hashed, schema=PROFILE)


def content_hash(record: Mapping[str, Any]) -> bytes:
    body = {name: value for name, value in record.items() if name not in ("received_at", "position")}
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).digest()
