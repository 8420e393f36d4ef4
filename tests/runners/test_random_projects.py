"""Random projects through the command line, against the oracle: whatever the files and however they arrive."""

import contextlib
import io
import json
import re
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from runners.main import call
from tests.support.generator import SUBJECTS
from tests.support.oracle import feature, history, member, verdict
from tests.support.oracle_consent import PERMISSIVE, quarantined
from tests.support.oracle_model import DAY, EPOCH, Consent, Event, Profile, Score, World, duration, to_instant
from tests.support.oracle_subject import Known
from tests.support.random_project import Fact, RandomProject, Step

LATER = 10**17
_ALL = " UNION ALL ".join(
    f"SELECT '{name}' AS what, CAST(to_json(x) AS VARCHAR) AS row FROM ({sql}) AS x"
    for name, sql in {
        "history": "SELECT segment, subject, epoch_us(valid_from) AS a, epoch_us(valid_to) AS b FROM segment_history "
        "WHERE known_to IS NULL ORDER BY ALL",
        "members": "SELECT segment, subject, epoch_us(since) AS since, epoch_us(next_transition_at) AS next "
        "FROM segment_membership",
        "fates": "SELECT * EXCLUDE (inputs) FROM run_manifest",
        "verdicts": "SELECT * FROM consent_verdicts",
        "events": "SELECT source, subject, event_id, lower(hex(record_hash)) AS hash FROM events",
        "quarantine": "SELECT source, reason FROM quarantine",
    }.items()
)
_ROWS = "SELECT * FROM feature_rows QUALIFY row_number() OVER (PARTITION BY subject ORDER BY as_of DESC) = 1"


def segue(folder: Path, *arguments: str) -> Any:
    """The JSON that a call prints; a call that fails fails the test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = call(["--quiet", "--project-dir", str(folder), "--format", "json", *arguments])
    assert code == 0, (arguments, err.getvalue(), out.getvalue())
    return json.loads(out.getvalue())


def tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What the warehouse says, in one call."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("history", "members", "fates", "verdicts", "events")}
    for row in segue(folder, "query", _ALL):
        found.setdefault(row["what"], []).append(json.loads(row["row"]))
    return found


def histories(world: World, until: int, known_at: int) -> dict[tuple[str, str], list[tuple[int, int | None]]]:
    """The oracle's histories up to T, those that are not empty."""
    found = {}
    for segment in world.project["segments"]:
        for subject in SUBJECTS:
            whole = history(world, segment["segment"], subject, known_at)
            cut = [(a, b if b is not None and b <= until else None) for a, b in whole if a <= until]
            if cut:
                found[segment["segment"], subject] = cut
    return found


def flips(world: World, key: tuple[str, str], until: int, known_at: int) -> int | None:
    """The next instant after T at which a member's answer flips."""
    whole = history(world, *key, known_at)
    return next((b for a, b in whole if a <= until and (b is None or b > until)), None)


def closed(reason: str) -> str:
    """What the law leaves open: how a purpose is called that no grant in force has opened."""
    return "CLOSED" if reason in ("NO_RECORD", "STALE_VERSION", "EXPIRED") else reason


class Driven:
    """One random project, run step by step."""

    def __init__(self, folder: Path, seed: int, scored: bool) -> None:
        self.folder = folder
        self.project = RandomProject(Random(seed), scored)
        self.project.write(folder)
        self.facts: list[Fact] = []
        self.worlds: list[tuple[World, int, int]] = []

    def run(self, number: int) -> None:
        step = self.project.deliver(self.folder, number)
        self.facts += step.facts
        world = world_of(self.project.definitions, self.facts)
        told = segue(self.folder, "run", "--as-of", written(step.at))
        if told["status"] == "published":
            assert told["t"] == step.at
        self.worlds.append((world, told["k"], step.at))
        found = tables(self.folder)
        self.compare_history(found, *self.worlds[-1])
        self.compare_members(found, told)
        self.compare_fates(found, told, step)
        self.compare_verdicts(found, told, step)

    def compare_history(self, found: dict[str, list[dict[str, Any]]], world: World, known_at: int, at: int) -> None:
        believed: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
        for row in found["history"]:
            believed.setdefault((row["segment"], row["subject"]), []).append((row["a"], row["b"]))
        assert {key: sorted(value) for key, value in believed.items()} == histories(world, at, known_at)

    def compare_members(self, found: dict[str, list[dict[str, Any]]], told: dict[str, Any]) -> None:
        world, known_at, at = self.worlds[-1]
        expected = {key: value[-1][0] for key, value in histories(world, at, known_at).items() if value[-1][1] is None}
        assert {(row["segment"], row["subject"]): row["since"] for row in found["members"]} == expected
        for row in found["members"]:
            key = (row["segment"], row["subject"])
            assert row["next"] == flips(world, key, at, known_at), (key, row)

    def compare_fates(self, found: dict[str, list[dict[str, Any]]], told: dict[str, Any], step: Step) -> None:
        if told["status"] != "published":
            assert not step.facts and not step.bad
            return
        (row,) = [one for one in found["fates"] if one["run_id"] == told["run_id"]]
        assert row["read"] == len(step.facts) + step.bad, row
        names = ("quarantined", "future", "late", "duplicate", "kept", "refused", "unneeded", "used")
        assert row["read"] == sum(row[name] for name in names), row
        expected = fates(self.worlds[-1][0], step)
        got = {name: row[name] for name in expected}
        assert got == expected, (got, expected, row)

    def compare_verdicts(self, found: dict[str, list[dict[str, Any]]], told: dict[str, Any], step: Step) -> None:
        world, known_at, at = self.worlds[-1]
        rows = [one for one in found["verdicts"] if one["run_id"] == told["run_id"]]
        if told["status"] != "published":
            return
        for purpose in ("p", "q"):
            known = self.known(world, at, known_at)
            expected = Counter(closed(verdict(world, purpose, "*", one, at, at, known_at)) for one in known)
            got: Counter[str] = Counter()
            for one in rows:
                got[closed(one["reason"])] += one["subjects"] if one["purpose"] == purpose else 0
            assert +got == expected, (purpose, got, expected)
        sums = {p: self.sums_of(rows, p) for p in ("p", "q")}
        assert sums["p"] == sums["q"]

    def sums_of(self, rows: list[dict[str, Any]], purpose: str) -> tuple[int, int]:
        own = [row for row in rows if row["purpose"] == purpose]
        return sum(row["events"] for row in own), sum(row["subjects"] for row in own)

    def known(self, world: World, at: int, known_at: int) -> list[str]:
        known = Known(world, known_at)
        firsts = {subject: known.person(subject).first_fact for subject in SUBJECTS}
        return [subject for subject, first in firsts.items() if first is not None and first <= at]

    def compare_features(self) -> None:
        world, known_at, at = self.worlds[-1]
        rows = {row["subject"]: row for row in segue(self.folder, "query", _ROWS)}
        columns = [name.replace(".", "__", 1) for name, _, _ in self.project.features]
        for subject in SUBJECTS:
            expected = {name: feature(world, name, subject, at, known_at) for name in columns}
            row = rows.get(subject)
            found = dict.fromkeys(columns) if row is None else {name: value_of(row[name]) for name in columns}
            if row is None and subject not in self.known(world, at, known_at):
                continue
            assert found == expected, (subject, found, expected)

    def compare_explained(self, random: Random) -> None:
        world, known_at, at = self.worlds[-1]
        for _ in range(3):
            asked_at = random.choice([at, *self.project.instants]) + random.choice([-1, 0, 0, 1])
            asked_known = random.choice([known_at, known_at - random.randrange(5 * DAY)])
            segment, subject = random.choice(world.project["segments"])["segment"], random.choice(SUBJECTS)
            if not self.seen(world, subject, asked_known):
                continue
            instants = ("--at", written(asked_at), "--known", written(asked_known))
            told = segue(self.folder, "explain", subject, segment, *instants)
            assert told["member"] == member(world, segment, subject, asked_at, asked_known), told

    def seen(self, world: World, subject: str, known_at: int) -> bool:
        return Known(world, known_at).person(subject).first_fact is not None


def value_of(said: Any) -> Any:
    """A value of JSON as the oracle has it: instants in microseconds, decimals exact."""
    if isinstance(said, list):
        return [value_of(part) for part in said]
    if not isinstance(said, str):
        return said
    if re.fullmatch(r"[-0-9]+T[0-9:.]+Z", said):
        return to_instant(datetime.fromisoformat(said))
    return Decimal(said) if re.fullmatch(r"-?[0-9]+[.][0-9]+", said) else said


def written(instant: int) -> str:
    """An instant as the command line takes it."""
    return (EPOCH + timedelta(microseconds=instant)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def fates(world: World, step: Step) -> dict[str, int]:
    """What became of the records of a step, as far as the law alone says it."""
    known = Known(world, LATER)
    told = Counter(quarantined=step.bad, future=0, late=0)
    for fact in step.facts:
        if isinstance(fact, Event):
            skew = duration(known.sources[fact.source].get("max_future_skew", "5m"))
            if fact.occurred_at > fact.received_at + skew:
                told["future"] += 1
            elif known.set_aside(fact):
                told["late"] += 1
        elif isinstance(fact, Consent) and quarantined(fact, frozenset("pq")):
            told["quarantined" if fact.purpose == "*" and fact.action in PERMISSIVE else "future"] += 1
    return dict(told)


def world_of(definitions: dict[str, Any], facts: list[Fact]) -> World:
    kinds = {"events": Event, "profiles": Profile, "consents": Consent, "scores": Score}
    told = {name: tuple(fact for fact in facts if isinstance(fact, kind)) for name, kind in kinds.items()}
    return World(definitions, **told)


def drive(folder: Path, seed: int, scored: bool = False) -> None:
    driven = Driven(folder, seed, scored)
    for number in range(len(driven.project.steps)):
        driven.run(number)
    driven.compare_features()
    driven.compare_explained(Random(seed))


@pytest.mark.parametrize("seed", [1, 125, 129])
def test_a_random_project_answers_as_the_law_does(tmp_path: Path, seed: int) -> None:
    drive(tmp_path, seed)


def test_so_does_one_in_which_models_speak_of_the_subjects(tmp_path: Path) -> None:
    drive(tmp_path, 2, scored=True)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 600))
def test_many_random_projects_answer_as_the_law_does(tmp_path: Path, seed: int) -> None:
    drive(tmp_path, seed, scored=seed % 2 == 1)
