"""Random projects as a user has them: definitions and raw files in several formats, arriving in steps.

The facts of a step are those that its files hold; what a format cannot tell (a null in CSV) is not in the fact either.
"""

import csv
import dataclasses
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tests.support.generator import START, Generator
from tests.support.oracle_consent import PERMISSIVE, permits_at
from tests.support.oracle_model import DAY, EPOCH, HOUR, Consent, Event, Profile, Score, World
from tests.support.worlds import write_project

Fact = Event | Profile | Consent | Score
SOURCES = ("e1", "e2", "prof", "snap", "led", "models")
SAID = ("model", "version", "value", "label")
_INSTANTS = ("at", "got", "ts", "claimed_at", "received_at", "expires_at")
_TYPES = {
    **dict.fromkeys(_INSTANTS, pa.timestamp("us", tz="UTC")),
    **dict.fromkeys(("flag", "vip", "retroactive"), pa.bool_()),
    "amount": pa.decimal128(8, 2),
    "score": pa.decimal128(6, 2),
    "value": pa.float64(),
    **dict.fromkeys(("lat", "lon"), pa.decimal128(8, 4)),
    "n": pa.int64(),
    "birth_date": pa.date32(),
    "purpose_major": pa.int32(),
}
_BAD: dict[str, tuple[Mapping[str, Any], ...]] = {
    "e1": ({"amount": "many"}, {"id": None}, {"id": ""}, {"n": "1.5"}, {"at": "soon"}, {"uid": None}, {"flag": "2"}),
    "e2": ({"amount": "1e"}, {"got": "2025-13-01"}),
    "prof": ({"birth_date": "2007-02-30"}, {"vip": "perhaps"}, {"at": None}),
    "snap": ({"uid": None},),
    "models": ({"model": None}, {"value": None, "label": None}, {"value": "much"}, {"at": "soon"}, {"uid": ""}),
    "led": ({"action": "FORGET"}, {"purpose": "P"}, {"channel": "fax"}, {"claimed_at": None}),
}


@dataclass
class Step:
    """What one run is given: T, the facts and bad records of its files, and how many records there are."""

    at: int
    facts: list[Fact] = field(default_factory=list)
    bad: int = 0


class RandomProject(Generator):
    """Draws a project and its steps, and writes both."""

    def __init__(self, random: Random, scored: bool = False) -> None:
        super().__init__(random, scored=scored)
        self.formats = ("ndjson", "ndjson", "csv", "parquet")
        self.ends = ("", "", ".gz", ".zst")
        drawn = self.project()
        events = tuple(self.event() for _ in range(self.pick((6, 12, 20))))
        world = World(drawn, events, self.several(6, self.profile), (*self.consents(), *self.several(4, self.consent)))
        self.definitions = world.project
        self.steps = self._cut([*world.events, *_apart(world.profiles), *_decided(world.consents), *self.scores()])

    def project(self) -> dict[str, Any]:
        made = super().project()
        sources = made["sources"]
        sources["snap"] = {
            "kind": "profiles",
            "payload": "snapshot",
            "properties": {"country": "string", "birth_date": "date", "tier": "string"},
        }
        if self.chance(50):
            sources["e2"] |= {"allowed_lateness": "24h", "on_late": self.pick(("quarantine", "drop", "correct"))}
        if self.chance(30):
            sources["e1"] |= {"max_future_skew": "1h"}
        if self.chance(30):
            sources["led"] |= {"clock": "trusted"}
        for name, source in sources.items():
            source["from"] = {"files": [f"data/{name}/*.{end}" for end in self._patterns()]}
        return made

    def _patterns(self) -> list[str]:
        return ["ndjson", "ndjson.gz", "ndjson.zst", "csv", "csv.gz", "csv.zst", "parquet"]

    def purposes(self) -> list[dict[str, Any]]:
        country = {"default": "consent", "DE": "legitimate_interest"}
        made = []
        for name in ("p", "q"):
            extras: tuple[tuple[str, Any, int], ...] = (
                ("max_lookback", "3d", 30),
                ("max_grant_age", "2d", 25),
                ("min_age", 18, 20),
                ("versions", [{"major": 1}, {"major": 2, "introduced_at": "2025-03-31"}], 25),
            )
            one: dict[str, Any] = {"id": name, "basis": self.pick(("legitimate_interest", "consent", country))}
            one |= {key: value for key, value, percent in extras if self.chance(percent)}
            made.append(one)
        return made

    def segments(self) -> list[dict[str, Any]]:
        """As drawn, some of them without a wider purpose than another's; one of `q` alone."""
        features, self.features = self.features, []
        numbers, self.numbers = self.numbers, []
        alone = {"segment": "sq", "purpose": "q", "when": self.node(2, [])} if self.chance(50) else None
        self.features, self.numbers = features, numbers
        return [*super().segments(), *([alone] if alone else [])]

    def node(self, depth: int, segments: list[str]) -> dict[str, Any]:
        while True:
            try:
                return super().node(depth, segments)
            except (IndexError, ValueError):  # no feature to be had
                continue

    def event(self) -> Event:
        made = super().event()
        ahead = self.chance(6)
        return dataclasses.replace(made, received_at=made.occurred_at - HOUR * 2) if ahead else made

    def profile(self) -> Profile:
        made = super().profile()
        if self.chance(30):
            said = {name: made.columns[name] for name in ("country", "birth_date") if name in made.columns}
            tier = {"tier": "gold"} if self.chance(50) else {}
            return dataclasses.replace(made, source="snap", payload="snapshot", columns={**said, **tier})
        return dataclasses.replace(made, payload="delta")

    # --- Steps

    def _cut(self, facts: list[Fact]) -> list[Step]:
        steps = [Step(at) for at in sorted(self._moment() for _ in range(self.pick((1, 2, 3, 4))))]
        for fact in facts:
            self.pick(steps).facts.append(fact)
        return steps

    def _moment(self) -> int:
        return self.at() if self.chance(50) else START + (7 + self.random.randrange(4)) * DAY

    def write(self, folder: Path) -> None:
        """The definitions."""
        write_project(folder, World(self.definitions))
        settings = (folder / "segue.yaml").read_text()
        (folder / "segue.yaml").write_text(settings.replace("ducklake:lake", "ducklake:lake\n    shards: 2"))

    def deliver(self, folder: Path, number: int) -> Step:
        """Write the files of one step; gives the step with its facts as the files tell them."""
        step, told = self.steps[number], Step(self.steps[number].at)
        for source in (name for name in SOURCES if name in self.definitions["sources"]):
            facts = [fact for fact in step.facts if fact.source == source]
            while facts or (source in _BAD and self.chance(8)):
                part = facts[: self.random.randrange(1, len(facts) + 1)] if facts else []
                facts = facts[len(part) :]
                bad = [self.pick(_BAD[source])] if self.chance(10) or not part else []
                told.facts += self._file(folder / "data" / source, number, part, bad)
                told.bad += len(bad)
        return told

    def _file(self, folder: Path, number: int, facts: Sequence[Fact], bad: Sequence[Mapping[str, Any]]) -> list[Fact]:
        """One file more, or more lines of one that is there."""
        form = self.pick(self.formats)
        rows = [_record(fact) for fact in facts]
        rows += [{**_record(self._any(folder.name)), **one} for one in bad]
        folder.mkdir(parents=True, exist_ok=True)
        grown = sorted(folder.glob(f"*.{form}")) if self.chance(40) and form != "parquet" else []
        if form == "parquet" and bad:
            form = "ndjson"
        if form == "parquet":
            _parquet(folder / f"{number}-{self.random.randrange(10**6)}.parquet", rows)
        elif grown:
            _grow(grown[0], form, rows, self._columns(folder.name))
        else:
            content = _text(form, rows, self._columns(folder.name), header=True)
            end = self.pick(self.ends)
            name = folder / f"{number}-{self.random.randrange(10**6)}.{form}{end}"
            name.write_bytes(_packed(content.encode(), end))
        return [fact if form == "ndjson" else _without_nulls(fact) for fact in facts]

    def _any(self, source: str) -> Fact:
        if source in ("prof", "snap"):
            return dataclasses.replace(self.profile(), source=source, columns={})
        if source == "models":
            return self.score()
        return self.consent() if source == "led" else dataclasses.replace(self.event(), source=source, properties={})

    def _columns(self, source: str) -> list[str]:
        if source == "led":
            return [one.name for one in dataclasses.fields(Consent) if one.name != "source"]
        if source == "models":
            return ["uid", "at", "got", *SAID]
        core = ["id", "name"] if source in ("e1", "e2") else []
        return [*core, "uid", "at", "got", *self.definitions["sources"][source]["properties"]]


def _apart(profiles: Sequence[Profile]) -> list[Profile]:
    """One row at each (subject, valid_from, received_at): what orders others is a hash that the law does not spell out."""
    return list({(one.subject, one.valid_from, one.received_at): one for one in profiles}.values())


def _decided(consents: Sequence[Consent]) -> list[Consent]:
    """Without permissive twins at one instant, for the same reason."""
    kept: dict[Any, Consent] = {}
    for number, one in enumerate(consents):
        key = (one.subject, one.purpose, one.channel, one.event_id, permits_at(one))
        kept[key if one.action in PERMISSIVE else number] = one
    return list(kept.values())


def _without_nulls(fact: Fact) -> Fact:
    if not isinstance(fact, Profile):
        return fact
    return dataclasses.replace(fact, columns={name: one for name, one in fact.columns.items() if one is not None})


def _moment(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant)


def _record(fact: Fact) -> dict[str, Any]:
    """The raw record of a fact, with values of Python."""
    if isinstance(fact, Consent):
        said = {name: value for name, value in vars(fact).items() if name != "source" and value is not None}
        instants = ("claimed_at", "received_at", "expires_at")
        return {name: _moment(value) if name in instants else value for name, value in said.items()}
    core: dict[str, Any] = {"uid": fact.subject, "got": _moment(fact.received_at)}
    if isinstance(fact, Profile):
        return {**core, "at": _moment(fact.valid_from), **fact.columns}
    if isinstance(fact, Score):
        return {**core, "at": _moment(fact.valid_from), **{name: getattr(fact, name) for name in SAID}}
    said = dict(fact.properties)
    if said.get("ts") is not None:
        said["ts"] = _moment(said["ts"])
    return {**core, "id": fact.event_id, "name": fact.event, "at": _moment(fact.occurred_at), **said}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _text(form: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], header: bool) -> str:
    if form == "ndjson":
        return "".join(json.dumps({name: _plain(value) for name, value in row.items()}) + "\n" for row in rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if value is None else _plain(value) for name, value in row.items()})
    return out.getvalue()


def _grow(path: Path, form: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    with path.open("a") as file:
        file.write(_text(form, rows, columns, header=False))


def _packed(content: bytes, end: str) -> bytes:
    return gzip.compress(content) if end == ".gz" else zstandard.compress(content) if end == ".zst" else content


def _parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    names = sorted({name for row in rows for name in row})
    columns = [pa.array([row.get(name) for row in rows], _TYPES.get(name, pa.string())) for name in names]
    pq.write_table(pa.table(columns, names=names), path)
