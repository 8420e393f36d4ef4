"""Worlds of the oracle as the kernel takes them: a folder of definitions, and canonical tables."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from schemas import consent, score
from schemas.definitions.catalog import Project, read_project
from schemas.definitions.language import Language
from tests.support.oracle_model import Consent, Event, Link, Profile, Score, World, record_hash, score_hash
from transforms.algebra.absorb import Arrived
from transforms.algebra.aggregates import AGGREGATES
from transforms.algebra.claims import effective_at
from transforms.algebra.operators import OPERATORS
from transforms.algebra.project import type_of

LANGUAGE = Language(OPERATORS, AGGREGATES, lru_cache(maxsize=10_000)(lambda sql, columns: type_of(sql, dict(columns))))
_FIELDS = {
    "events": {"event_id": "id", "event": "name", "subject": "uid", "occurred_at": "at", "received_at": "got"},
    "profiles": {"subject": "uid", "valid_from": "at", "received_at": "got"},
    "consents": {},
    "identities": {},
    "scores": {
        **{name: name for name in ("model", "version", "value", "label")},
        "subject": "uid", "valid_from": "at", "received_at": "got",
    },
}


class Frozen(dict[str, Any]):
    """Columns as a key of a cache."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted((name, str(kind)) for name, kind in self.items())))


def language() -> Language:
    """The whole language, with an engine that is asked once for each expression."""
    return Language(OPERATORS, AGGREGATES, lambda sql, columns: LANGUAGE.type_of(sql, Frozen(columns)))


def write_project(folder: Path, world: World) -> None:
    """Write the definitions of a world as a project."""
    settings = {
        "name": "world",
        "timezone": world.project["timezone"],
        "targets": {"dev": {"warehouse": "ducklake:lake"}},
        **{key: world.project[key] for key in ("state_reach",) if key in world.project},
    }
    _write(folder / "segue.yaml", settings)
    _write(folder / "purposes.yaml", {"purposes": world.project["purposes"]})
    for name, source in world.project["sources"].items():
        is_lookup = source["kind"] == "lookup"
        read = {"from": {"files": f"{name}.csv" if is_lookup else f"data/{name}/*.ndjson"}}
        fields = {} if is_lookup else {"fields": _FIELDS[source["kind"]]}
        said = {"source": name, **read, **fields, **source}
        _write(folder / "sources" / f"{name}.yaml", said)
    for segment in world.project["segments"]:
        _write(folder / "segments" / f"{segment['segment']}.yaml", segment)
    for group in world.project.get("features", ()):
        _write(folder / "features" / f"{group['features']}.yaml", group)
    for path, ring in world.project.get("polygons", {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]}))
    for path, columns in world.project.get("lists", {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        for column, values in columns.items():
            (folder / path).write_text("\n".join([column, *sorted(values)]) + "\n")


def read_world(folder: Path, world: World) -> Project:
    """The definitions of a world, through its files."""
    write_project(folder, world)
    return read_project(folder, language())


def _write(path: Path, said: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(_plain(said), sort_keys=False, allow_unicode=True))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def arrived(project: Project, facts: Sequence[Event | Profile | Consent | Link | Score]) -> Arrived:
    """Facts as canonical tables."""
    return {
        "events": _events(project, [fact for fact in facts if isinstance(fact, Event)]),
        "profiles": _profiles(project, [fact for fact in facts if isinstance(fact, Profile)]),
        "consents": _consents([fact for fact in facts if isinstance(fact, Consent)]),
        "identities": _links(project, [fact for fact in facts if isinstance(fact, Link)]),
        "scores": _scores([fact for fact in facts if isinstance(fact, Score)]),
    }


def _events(project: Project, events: Sequence[Event]) -> pa.Table:
    rows = []
    for one in events:
        declared = {name: one.properties.get(name) for name in project.sources[one.source].properties}
        core = {"event": one.event, "event_id": one.event_id, "occurred_at": one.occurred_at, "subject": one.subject}
        said = {**core, "source": one.source, "received_at": one.received_at}
        rows.append({**said, **declared, "record_hash": bytes.fromhex(record_hash({**core, **declared}))})
    return pa.Table.from_pylist(rows, schema=project.schemas["events"])


def _profiles(project: Project, profiles: Sequence[Profile]) -> pa.Table:
    rows = []
    for one in profiles:
        nulls = [name for name, value in one.columns.items() if value is None] if one.payload == "delta" else []
        core = {"subject": one.subject, "valid_from": one.valid_from}
        said = {**core, "source": one.source, "received_at": one.received_at, "payload": one.payload}
        body = bytes.fromhex(record_hash({**core, **one.columns}))
        place = _place(one, sorted(one.columns.items()))
        rows.append({**said, **one.columns, "position": place, "explicit_nulls": nulls, "record_hash": body})
    return pa.Table.from_pylist(rows, schema=project.schemas["profiles"])


def _scores(scores: Sequence[Score]) -> pa.Table:
    rows = [
        {
            **vars(one),
            "value": None if one.value is None else float(one.value),
            "position": _place(one, ()),
            "record_hash": bytes.fromhex(score_hash(one)),
        }
        for one in scores
    ]
    return pa.Table.from_pylist(rows, schema=score.SCHEMA)


def _place(one: Profile | Score, columns: Iterable[tuple[str, object]]) -> str:
    """Where it stands in the one file: the same whichever step reads it, and another for every other row."""
    said = repr((*vars(one).values(), *columns))
    return f"f\0{int(hashlib.sha256(said.encode()).hexdigest()[:15], 16):020d}"


def _links(project: Project, links: Sequence[Link]) -> pa.Table:
    rows = []
    for one in links:
        core = {"subject": one.from_id, "to_id": one.to_id or None, "linked_at": one.linked_at}
        said = {**core, "source": one.source, "received_at": one.received_at, "position": one.position}
        rows.append({**said, "record_hash": bytes.fromhex(record_hash(core))})
    return pa.Table.from_pylist(rows, schema=project.schemas["identities"])


def _consents(consents: Sequence[Consent]) -> pa.Table:
    rows = []
    for one in consents:
        said = dict(vars(one))
        body = json.dumps(
            {key: value for key, value in said.items() if key not in ("received_at", "source")}, sort_keys=True
        )
        rows.append({**said, "record_hash": hashlib.sha256(body.encode()).digest()})
    table = pa.Table.from_pylist(rows, schema=consent.SCHEMA)
    return table.set_column(table.column_names.index("effective_at"), "effective_at", effective_at(table))
