"""Ledgers, profiles and purposes in the words of a test: instants are minutes, whatever is left out has its default."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from transforms.algebra.order import BEGINNING

MINUTE = 60_000_000
TS = pa.timestamp("us", "UTC")

CONSENT = pa.schema(
    {
        **dict.fromkeys(("source", "subject", "event_id", "purpose", "action"), pa.string()),
        **dict.fromkeys(("claimed_at", "received_at"), TS),
        "scope": pa.string(),
        "purpose_major": pa.int32(),
        **dict.fromkeys(("channel", "claimed_precision"), pa.string()),
        "expires_at": TS,
        **dict.fromkeys(("payload_kind", "method", "actor"), pa.string()),
        "retroactive": pa.bool_(),
        **dict.fromkeys(("jurisdiction", "notice_version"), pa.string()),
        "raw_sha256": pa.string(),
        "effective_at": TS,
        "record_hash": pa.binary(32),
    }
)
PROFILE = pa.schema(
    {
        **dict.fromkeys(("source", "subject", "position"), pa.string()),
        **dict.fromkeys(("valid_from", "received_at"), TS),
        "payload": pa.string(),
        "explicit_nulls": pa.list_(pa.string()),
        "record_hash": pa.binary(32),
        "country": pa.string(),
        "timezone": pa.string(),
        "birth_date": pa.date32(),
        "tags": pa.list_(pa.string()),
    }
)


@dataclass(frozen=True)
class Purpose:
    id: str = "ads"
    basis: Mapping[str, str] = field(default_factory=lambda: {"default": "consent"})
    versions: tuple[tuple[int, int], ...] = ((1, BEGINNING),)
    max_grant_age: int | None = None
    max_lookback: int | None = None
    min_age: int | None = None


@dataclass(frozen=True)
class Source:
    clock: str | None = None


@dataclass(frozen=True)
class Project:
    purposes: Mapping[str, Purpose]
    sources: Mapping[str, Source] = field(default_factory=lambda: {"cmp": Source()})
    timezone: str = "UTC"


def minutes(value: float) -> int:
    return round(value * MINUTE)


def project(*purposes: Purpose, **more: Any) -> Project:
    return Project({purpose.id: purpose for purpose in purposes or (Purpose(),)}, **more)


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
    return pa.Table.from_pylist(hashed, schema=CONSENT)


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
