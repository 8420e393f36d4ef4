"""The kinds of sources: the keys and fields that each takes, and those that it needs."""

from typing import Any, Literal

Kind = Literal["events", "profiles", "consents", "identities", "scores", "lookup"]
_FACTS = ("events", "profiles", "consents", "identities", "scores")

REQUIRED: dict[str, tuple[str, ...]] = {
    "events": ("event", "subject", "occurred_at"),
    "profiles": ("subject", "valid_from"),
    "consents": (),  # they have the ledger's own columns where nothing else is said
    "identities": (),  # nor do links
    "scores": ("subject", "model", "valid_from"),
    "lookup": (),
}
EITHER: dict[str, tuple[str, ...]] = {"scores": ("value", "label")}
"""Fields of which at least one is needed."""
KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("allowed_lateness", "on_late", "max_future_skew", "lookups"), ("events",)),
    **dict.fromkeys(("clock", "silence_budget"), ("consents",)),
    **dict.fromkeys(("columns", "key"), ("lookup",)),
    **dict.fromkeys(("max_links", "blocked"), ("identities",)),
    **dict.fromkeys(("normalise", "timezone", "expect", "fields"), _FACTS),
    "properties": ("events", "profiles"),
    "payload": ("profiles",),
}
"""The kinds that each key belongs to, where not to all."""
CONSENT_COLUMNS = (
    *("event_id", "subject", "purpose", "action", "claimed_at", "received_at", "scope", "purpose_major", "channel"),
    *("claimed_precision", "expires_at", "payload_kind", "method", "actor", "retroactive", "jurisdiction"),
    *("notice_version", "raw_sha256"),
)
IDENTITY_COLUMNS = ("from_id", "to_id", "linked_at", "received_at")
OWN_NAMES = {"consents": CONSENT_COLUMNS, "identities": IDENTITY_COLUMNS}
"""The kinds whose fields, where they are not mapped, are read from columns of their own name."""
FIELDS: dict[str, tuple[str, ...]] = {
    "events": ("event_id", "event", "subject", "occurred_at", "received_at"),
    "profiles": ("subject", "valid_from", "received_at"),
    "consents": CONSENT_COLUMNS,
    "identities": IDENTITY_COLUMNS,
    "scores": ("subject", "model", "version", "value", "label", "valid_from", "received_at"),
    "lookup": (),
}
NEEDED: dict[str, tuple[str, ...]] = {"lookup": ("key", "columns")}
"""Keys without which a source of a kind says nothing."""


def of_kind(kind: str) -> dict[str, Any]:
    """For JSON Schema: a condition on the kind, and what follows from it for keys and fields."""
    foreign = {key: False for key, kinds in KEYS.items() if kind not in kinds}
    known = {"properties": dict.fromkeys(FIELDS[kind], True), "additionalProperties": False}
    fields: dict[str, Any] = {**known, "required": [*REQUIRED[kind]]}
    if kind in EITHER:
        fields["anyOf"] = [{"required": [name]} for name in EITHER[kind]]
    needed = [*NEEDED.get(kind, ()), *(["fields"] if REQUIRED[kind] else [])]
    own = {} if "fields" in foreign else {"fields": fields}
    own |= {"from": {"required": ["files"]}} if kind == "lookup" else {}
    asked = {"properties": {"kind": {"const": kind}}, "required": [] if kind == "events" else ["kind"]}
    return {"if": asked, "then": {"properties": {**own, **foreign}, "required": needed}}
