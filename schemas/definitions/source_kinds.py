"""The kinds of sources: the keys and fields that each takes, and those that it needs."""

from typing import Any, Literal

Kind = Literal["events", "profiles", "consents", "lookup"]

REQUIRED: dict[str, tuple[str, ...]] = {
    "events": ("event", "subject", "occurred_at"),
    "profiles": ("subject", "valid_from"),
    "consents": (),  # they have the ledger's own columns where nothing else is said
    "lookup": (),
}
KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("allowed_lateness", "on_late", "max_future_skew", "lookups"), ("events",)),
    **dict.fromkeys(("clock", "silence_budget"), ("consents",)),
    **dict.fromkeys(("columns", "key"), ("lookup",)),
    **dict.fromkeys(("normalise", "timezone", "expect"), ("events", "profiles", "consents")),
    **dict.fromkeys(("fields",), ("events", "profiles", "consents")),
    "properties": ("events", "profiles"),
    "payload": ("profiles",),
}
"""The kinds that each key belongs to, where not to all."""
CONSENT_COLUMNS = (
    *("event_id", "subject", "purpose", "action", "claimed_at", "received_at", "scope", "purpose_major", "channel"),
    *("claimed_precision", "expires_at", "payload_kind", "method", "actor", "retroactive", "jurisdiction"),
    *("notice_version", "raw_sha256"),
)
FIELDS: dict[str, tuple[str, ...]] = {
    "events": ("event_id", "event", "subject", "occurred_at", "received_at"),
    "profiles": ("subject", "valid_from", "received_at"),
    "consents": CONSENT_COLUMNS,
    "lookup": (),
}
NEEDED: dict[str, tuple[str, ...]] = {"lookup": ("key", "columns")}
"""Keys without which a source of a kind says nothing."""


def of_kind(kind: str) -> dict[str, Any]:
    """For JSON Schema: a condition on the kind, and what follows from it for keys and fields."""
    foreign = {key: False for key, kinds in KEYS.items() if kind not in kinds}
    fields = {"properties": dict.fromkeys(FIELDS[kind], True), "additionalProperties": False, "required": [*REQUIRED[kind]]}
    needed = [*NEEDED.get(kind, ()), *(["fields"] if REQUIRED[kind] else [])]
    known = {} if "fields" in foreign else {"fields": fields}
    asked = {"properties": {"kind": {"const": kind}}, "required": [] if kind == "events" else ["kind"]}
    return {"if": asked, "then": {"properties": {**known, **foreign}, "required": needed}}
