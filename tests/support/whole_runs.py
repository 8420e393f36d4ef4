"""Worlds of the oracle as projects of files, run into a warehouse of their own, and what is read there afterwards."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import yaml

from runners.runs.outlook import Options
from runners.runs.running import Outcome, open_target, run_batch
from runners.warehouses.entry import open_warehouse
from runners.warehouses.lake import Lake
from runners.warehouses.query import lock, query
from schemas.definitions.catalog import read_project
from schemas.definitions.instant import write_instant
from tests.support.generator import Generator
from tests.support.histories import Fact, History, changes_folded, every_fact
from tests.support.oracle import feature
from tests.support.oracle_model import Consent, Event, Link, Profile, Score, World, to_instant
from tests.support.worlds import language, write_project

NOW = 1_900_000_000_000_000
FATES = ("quarantined", "future", "late", "duplicate", "kept", "refused", "unneeded", "used")
KINDS = ("events", "profiles", "consents", "links", "scores")
_CURRENT = "known_to IS NULL"
_HISTORY = """
SELECT segment, version, subject, epoch_us(valid_from), epoch_us(valid_to) FROM segment_history
WHERE {} ORDER BY segment, version, subject, valid_from
"""
_MEMBERS = "SELECT segment || '@' || version AS segment, subject FROM as_of(make_timestamptz({}), make_timestamptz({}))"
_CHANGES = "SELECT * REPLACE (segment || '@' || version AS segment) FROM segment_changes WHERE run_id = '{}'"


@dataclass(frozen=True)
class Run:
    """A published run: its T and K, and how many records it read, by fate."""

    run_id: str
    t_at: int
    known_at: int
    fates: dict[str, int]


class Target:
    """A project in a folder, its files of data and its warehouse."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.written = folder, 0
        self.define(world)

    def define(self, world: World) -> None:
        """Write the definitions; those that the world does not have any more go."""
        for kind in ("segments", "features", "sources"):
            for path in (self.folder / kind).glob("*.yaml"):
                path.unlink()
        write_project(self.folder, world)

    def sharded(self, shards: int) -> "Target":
        """With another number of shards from now on."""
        return self._set(lambda settings: settings["targets"]["dev"].update(shards=shards))

    def until(self, at: int) -> "Target":
        """With a T beyond which it never goes."""
        return self._set(lambda settings: settings.update(as_of=write_instant(at)))

    def _set(self, change: Callable[[dict[str, Any]], None]) -> "Target":
        path = self.folder / "segue.yaml"
        settings = yaml.safe_load(path.read_text())
        change(settings)
        path.write_text(yaml.safe_dump(settings))
        return self

    def write(self, facts: Iterable[Fact], name: str | None = None) -> list[Path]:
        """Append facts, in their order, to the files of this name below each source; a new name where none is given."""
        self.written += 1
        texts: dict[str, list[str]] = {}
        for fact in facts:
            texts.setdefault(fact.source, []).append(json.dumps(as_record(fact)) + "\n")
        paths = []
        for source, lines in texts.items():
            paths.append(self.folder / "data" / source / f"{name or f'{self.written:04}'}.ndjson")
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            with paths[-1].open("a") as file:
                file.writelines(lines)
        return paths

    def run(self, as_of: int, known_at: int | None = None, *, full_refresh: bool = False) -> Outcome:
        """One run up to T."""
        project = read_project(self.folder, language())
        with open_target(project) as lake:
            return run_batch(lake, project, Options(NOW, as_of, known_at, full_refresh), _heard)

    def lake(self) -> Lake:
        return open_warehouse(read_project(self.folder, language()))

    def history(self, when: str = _CURRENT) -> History:
        """The intervals of the record by (`segment@version`, subject)."""
        found: History = {}
        with self.lake() as lake:
            for segment, version, subject, begin, end in lake.rows(_HISTORY.format(when)):
                found.setdefault((f"{segment}@{version}", subject), []).append((begin, end))
        return found

    def runs(self) -> list[Run]:
        """The published runs, oldest first."""
        columns = ", ".join(("read", *FATES))
        with self.lake() as lake:
            rows = lake.rows(f"SELECT run_id, epoch_us(t), epoch_us(k), {columns} FROM run_manifest ORDER BY k")
        fates = [dict(zip(("read", *FATES), row[3:], strict=True)) for row in rows]
        return [Run(run_id, t_at, known_at, one) for (run_id, t_at, known_at, *_), one in zip(rows, fates, strict=True)]

    def folded(self) -> History:
        """What the changes of all runs give, applied one run after another."""
        runs = self.runs()
        with self.lake() as lake:
            steps = [{"changes": lake.arrow(_CHANGES.format(run.run_id))} for run in runs]
        return changes_folded(steps, [run.t_at for run in runs])

    def members(self, pairs: Sequence[tuple[int, int]]) -> list[set[tuple[str, str]]]:
        """For each (T, K) who was a member at T by what was published at K."""
        with closing(self.lake()) as lake:
            lock(lake)
            return [_pairs(query(lake, _MEMBERS.format(*pair)).read_all()) for pair in pairs]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.lake() as lake:
            return lake.rows(sql)


def _pairs(found: pa.Table) -> set[tuple[str, str]]:
    return {(row["segment"], row["subject"]) for row in found.to_pylist()}


def _heard(stage: str, records: int, share: float) -> None:
    """Progress that nobody watches."""


def standing(history: History, at: int) -> set[tuple[str, str]]:
    """Who is a member at T by a history."""
    return {
        key
        for key, intervals in history.items()
        if any(begin <= at and (end is None or at < end) for begin, end in intervals)
    }


def versioned(history: History, version: int = 1) -> History:
    """A history without versions as one in which every segment has this one."""
    return {(f"{segment}@{version}", subject): intervals for (segment, subject), intervals in history.items()}


def as_record(fact: Fact) -> dict[str, Any]:
    """A fact as a source would write it."""
    said = _RECORDS[type(fact)](fact)
    return {name: value if value is None else _text(value) for name, value in said.items()}


def _event(fact: Event) -> dict[str, Any]:
    core = {"id": fact.event_id, "name": fact.event, "uid": fact.subject}
    return {**core, "at": write_instant(fact.occurred_at), "got": write_instant(fact.received_at), **_properties(fact)}


def _properties(fact: Event) -> dict[str, Any]:
    return {name: write_instant(value) if name == "ts" and value else value for name, value in fact.properties.items()}  # type: ignore[arg-type]


def _profile(fact: Profile) -> dict[str, Any]:
    times = {"at": write_instant(fact.valid_from), "got": write_instant(fact.received_at)}
    return {"uid": fact.subject, **times, **fact.columns}


_INSTANTS = ("claimed_at", "received_at", "expires_at")


def _consent(fact: Consent) -> dict[str, Any]:
    said: dict[str, Any] = {name: value for name, value in vars(fact).items() if name != "source" and value is not None}
    return {name: write_instant(value) if name in _INSTANTS else value for name, value in said.items()}


def _link(fact: Link) -> dict[str, Any]:
    ends = {"from_id": fact.from_id, "to_id": fact.to_id or None}
    return {**ends, "linked_at": write_instant(fact.linked_at), "received_at": write_instant(fact.received_at)}


def _score(fact: Score) -> dict[str, Any]:
    times = {"at": write_instant(fact.valid_from), "got": write_instant(fact.received_at)}
    said = {name: getattr(fact, name) for name in ("model", "version", "value", "label")}
    return {"uid": fact.subject, **times, **said}


_RECORDS: dict[type, Any] = {Event: _event, Profile: _profile, Consent: _consent, Link: _link, Score: _score}


def _text(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) else str(value)


def of_files(world: World) -> World:
    """The world as files can tell it: a source of profiles has one payload, and no two of its rows are at one instant.

    What the content hash of two such rows orders is the decoder's, which the oracle does not know.
    """
    sources = {name: source for name, source in world.project["sources"].items() if source["kind"] != "profiles"}
    declared = next(source for source in world.project["sources"].values() if source["kind"] == "profiles")
    payloads = {payload: {**declared, "payload": payload} for payload in ("delta", "snapshot")}
    told = {(one.subject, one.valid_from, one.received_at): replace(one, source=one.payload) for one in world.profiles}
    return replace(world, project={**world.project, "sources": {**sources, **payloads}}, profiles=tuple(told.values()))


def shuffled(world: World, dice: Random) -> list[Fact]:
    facts = every_fact(world)
    return dice.sample(facts, len(facts))


def parted(facts: Sequence[Fact], dice: Random, parts: int) -> list[Sequence[Fact]]:
    ends = sorted(dice.randrange(len(facts) + 1) for _ in range(parts - 1))
    return [facts[begin:end] for begin, end in zip([0, *ends], [*ends, len(facts)], strict=True)]


def crowded(generator: Generator, groups: int) -> World:
    """A world with the facts of many draws, each about subjects of its own."""
    draws = [generator.world() for _ in range(groups)]
    parts = [_renamed(draw, str(index)) for index, draw in enumerate(draws)]
    facts = {kind: tuple(fact for part in parts for fact in getattr(part, kind)) for kind in KINDS}
    return of_files(World(draws[0].project, **facts))


def _renamed(world: World, group: str) -> World:
    """The world with the group behind the id of each subject."""
    facts = {kind: tuple(_of_group(fact, group) for fact in getattr(world, kind)) for kind in KINDS}
    return World(world.project, **facts)


def _of_group(fact: Any, group: str) -> Any:
    if isinstance(fact, Link):
        to_id = fact.to_id and f"{fact.to_id}.{group}"
        return replace(fact, from_id=f"{fact.from_id}.{group}", to_id=to_id, position=f"{fact.position}.{group}")
    return replace(fact, subject=f"{fact.subject}.{group}")


_LATEST = "FROM feature_rows QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1"


def feature_rows_that_differ(target: Target, world: World, run: Run) -> list[tuple[str, str, object, object]]:
    """(subject, column, written, the oracle's) wherever the row at T is not what the facts say that were known."""
    with target.lake() as lake:
        rows = {row["subject"]: row for row in lake.arrow(_LATEST).to_pylist()}
    columns = [name for name in next(iter(rows.values())) if name.startswith("grp__")]
    asked = [(who, name, row[name]) for who, row in rows.items() for name in columns]
    pairs = [(*one, feature(world, one[1], one[0], run.t_at, run.known_at)) for one in asked]
    return [pair for pair in pairs if as_number(pair[2]) != pair[3]]


def as_number(value: object) -> object:
    if isinstance(value, list):
        return [as_number(one) for one in value]
    return to_instant(value) if isinstance(value, datetime) else value
