"""A synthetic shop: a year of events, consents and profiles from a seed, as the project beside this file reads them.

    python -m benchmarks.world [FOLDER] [--events N] [--subjects N] [--seed N]

writes `data/events/history.ndjson`, `data/consents.ndjson`, `data/profiles.ndjson` and, aside, `later/recent.ndjson`:
the last 1 % of the time and of the events, by 5 % of the subjects. `reveal` moves it among the others. One seed gives
one world.
"""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]

HERE = Path(__file__).resolve().parent / "project"
SECOND, DAY = 1_000_000, 86_400_000_000
START_AT = 1_735_689_600 * SECOND
"""2025-01-01, in microseconds UTC."""
END_AT = START_AT + 365 * DAY
RECENT_AT = END_AT - 365 * DAY // 100
"""Where the last 1 % of the time begins: the T of a first run, before an increment up to END_AT."""

NAMES = (
    *("page_view", "product_view", "search", "cart_add", "cart_remove"),
    *("checkout_started", "order_completed", "review_written", "letter_opened", "support_asked"),
)
_NAME_ODDS = (0.38, 0.20, 0.10, 0.09, 0.03, 0.05, 0.06, 0.02, 0.05, 0.02)
_PRICED = tuple(NAMES.index(name) for name in ("cart_add", "cart_remove", "checkout_started", "order_completed"))
_ABOUT_PRODUCTS = (*_PRICED, NAMES.index("product_view"), NAMES.index("review_written"))
CATEGORIES = ("books", "shoes", "garden", "kitchen", "toys", "music", "sports", "beauty", "pets", "office", "tea")
DEVICES, _DEVICE_ODDS = ("web", "ios", "android"), (0.55, 0.20, 0.25)
COUNTRIES, PLANS = ("DE", "FR", "NL", "GB", "US"), ("free", "plus", "pro")
_SUBJECT_NUMBER = re.compile(rb'"u([0-9]{7,})"')
_REPEATED, _CONFLICTING = 0.01, 0.001


@dataclass(frozen=True)
class Size:
    """How large a world is. `events` counts lines, repeated ones too."""

    events: int = 2_000_000
    subjects: int = 100_000
    seed: int = 7


class _Columns(NamedTuple):
    """Events, one entry each: number, subject, instant, receipt, and indexes into the names above; -1 for null."""

    number: Ints
    subject: Ints
    at: Ints
    received_at: Ints
    name: Ints
    cents: Ints
    category: Ints
    device: Ints

    def take(self, index: Ints) -> "_Columns":
        """The events at the indexes."""
        return _Columns._make(column[index] for column in self)


def write_world(folder: Path, size: Size = Size(), end_at: int = END_AT) -> None:
    """Write the world's four files below `folder`, over what was there; its year ends at `end_at`."""
    chance = np.random.default_rng(size.seed)
    recent_count = size.events // 100
    active = chance.permutation(size.subjects)[: max(1, size.subjects // 20)]
    weights = np.cumsum(chance.lognormal(0.0, 1.2, size.subjects))
    owners = np.searchsorted(weights / weights[-1], chance.random(size.events - recent_count), "right")
    start_at, recent_at = end_at - (END_AT - START_AT), end_at - (END_AT - RECENT_AT)
    history = _events(chance, owners.clip(max=size.subjects - 1), start_at, recent_at, 0)
    recent = _events(chance, active[chance.integers(0, len(active), recent_count)], recent_at, end_at, size.events)
    _write(_event_table(history), folder / "data" / "events" / "history.ndjson", _EVENT)
    _write(_event_table(recent), folder / "later" / "recent.ndjson", _EVENT)
    _write(_consents(chance, size.subjects, start_at), folder / "data" / "consents.ndjson", _CONSENT)
    _write(_profiles(chance, size.subjects, start_at), folder / "data" / "profiles.ndjson", _PROFILE)


def write_now(path: Path, count: int, subjects: int, first: int, at: int) -> None:
    """Write so many events of one instant, at which they are also received; `first` is their first number, and the seed."""
    chance = np.random.default_rng(first)
    events = _once(chance, chance.integers(0, subjects, count), at, at + 1, first)
    moment = np.full(len(events.at), at)
    _write(_event_table(events._replace(at=moment, received_at=moment)), path, _EVENT)


def reveal(folder: Path) -> Path:
    """Move the recent events to where the project reads. Gives the file's new path."""
    return (folder / "later" / "recent.ndjson").replace(folder / "data" / "events" / "recent.ndjson")


def take_slice(folder: Path, out: Path, every: int) -> tuple[int, int]:
    """Copy the lines of every n-th subject to `out`. Gives how many events there are, and how many of them were taken."""
    taken, count = 0, 0
    for path in sorted((folder / "data").rglob("*.ndjson")):
        to = out / path.relative_to(folder)
        to.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as lines, to.open("wb") as kept:
            for line in lines:
                number = _SUBJECT_NUMBER.search(line)
                ours = number is not None and int(number[1]) % every == 0
                if ours:
                    kept.write(line)
                if path.parent.name == "events":
                    taken, count = taken + ours, count + 1
    return count, taken


# --- Events -----------------------------------------------------------------------------------------------------------


def _events(chance: np.random.Generator, owners: Ints, from_at: int, to_at: int, first: int) -> _Columns:
    """Events of the owners in [from_at, to_at), by receipt; some come twice, and a few of those with another amount."""
    repeats = int(len(owners) * _REPEATED)
    once = _once(chance, owners[repeats:], from_at, to_at, first)
    all_ = _Columns._make(np.concatenate(pair) for pair in zip(once, _again(chance, once, repeats), strict=True))
    return all_.take(np.lexsort((all_.number, all_.received_at)))


def _once(chance: np.random.Generator, owners: Ints, from_at: int, to_at: int, first: int) -> _Columns:
    count = len(owners)
    at = chance.integers(from_at, to_at, count)
    name = _drawn(chance, _NAME_ODDS, count)
    cents = np.where(np.isin(name, _PRICED), chance.gamma(2.0, 2_500, count).astype(np.int64) + 99, -1)
    category = np.where(np.isin(name, _ABOUT_PRODUCTS), chance.integers(0, len(CATEGORIES), count), -1)
    received_at = at + chance.integers(0, 30 * SECOND, count)
    number = np.arange(first, first + count)
    return _Columns(number, owners, at, received_at, name, cents, category, _drawn(chance, _DEVICE_ODDS, count))


def _again(chance: np.random.Generator, events: _Columns, count: int) -> _Columns:
    """Some events once more, up to an hour later; of some the amount differs, and of some the receipt is the same."""
    again = events.take(chance.integers(0, len(events.at), count))
    other = (chance.random(count) < _CONFLICTING / _REPEATED) & (again.cents >= 0)
    wait = chance.integers(0, 3_600 * SECOND, count) * (chance.random(count) < 0.9)
    return again._replace(cents=again.cents + other, received_at=again.received_at + wait)


def _drawn(chance: np.random.Generator, odds: Sequence[float], count: int) -> Ints:
    return np.searchsorted(np.cumsum(odds)[:-1], chance.random(count), "right").astype(np.int64)


def _event_table(events: _Columns) -> pa.Table:
    columns = {"number": events.number, "subject": events.subject, "at": events.at, "received": events.received_at}
    texts = {
        "name": _named(NAMES, events.name),
        "category": _named(CATEGORIES, events.category),
        "device": _named(DEVICES, events.device),
    }
    return pa.table({**columns, "cents": pa.array(events.cents, mask=events.cents < 0), **texts})


def _named(names: Sequence[str], index: Ints) -> pa.Array:
    return pa.array(names).take(pa.array(index, mask=index < 0))


# --- Consents and profiles --------------------------------------------------------------------------------------------


def _consents(chance: np.random.Generator, subjects: int, start_at: int) -> pa.Table:
    """For both purposes: most grant early in the year, some withdraw, some of them grant again; a few come late."""
    rows: list[tuple[Ints, str, str, Ints]] = []
    for purpose, share in (("analytics", 0.92), ("marketing", 0.80)):
        who = np.flatnonzero(chance.random(subjects) < share)
        at = start_at - 30 * DAY + (chance.beta(1, 6, len(who)) * 380 * DAY).astype(np.int64)
        rows.append((who, purpose, "GRANT", at))
        for action, odds, gap in (("WITHDRAW", 0.15, 200), ("GRANT", 0.4, 60)):
            stay = chance.random(len(who)) < odds
            who, at = who[stay], at[stay] + SECOND + chance.integers(0, gap * DAY, int(stay.sum()))
            rows.append((who, purpose, action, at))
    who, at = np.concatenate([row[0] for row in rows]), np.concatenate([row[3] for row in rows])
    late = (chance.random(len(at)) < 0.02) * chance.integers(0, 12 * 3_600 * SECOND, len(at))
    columns = {
        "number": np.arange(len(at)),
        "subject": who,
        "purpose": np.repeat([row[1] for row in rows], [len(row[0]) for row in rows]),
        "action": np.repeat([row[2] for row in rows], [len(row[0]) for row in rows]),
        "at": at,
        "received": at + chance.integers(0, 60 * SECOND, len(at)) + late,
    }
    return pa.table(columns).sort_by([("received", "ascending"), ("number", "ascending")])


def _profiles(chance: np.random.Generator, subjects: int, start_at: int) -> pa.Table:
    """Four in five tell their country and plan before the year; a fifth of those change the plan in it."""
    who = np.flatnonzero(chance.random(subjects) < 0.8)
    country, plan = chance.integers(0, len(COUNTRIES), len(who)), _drawn(chance, (0.7, 0.2, 0.1), len(who))
    changed = np.flatnonzero(chance.random(len(who)) < 0.2)
    at = np.concatenate(
        [np.full(len(who), start_at - 30 * DAY), start_at + chance.integers(0, 365 * DAY, len(changed))]
    )
    plan = np.concatenate([plan, (plan[changed] + 1) % len(PLANS)])
    columns = {"subject": np.concatenate([who, who[changed]]), "at": at, "received": at + SECOND}
    texts = {
        "country": _named(COUNTRIES, np.concatenate([country, country[changed]])),
        "plan": _named(PLANS, plan),
    }
    return pa.table({**columns, **texts})


# --- Writing ----------------------------------------------------------------------------------------------------------

_ID = "printf('%s%09d', '{}', number) AS id"
_SUBJECT = "printf('u%07d', subject) AS subject"
_USER = "printf('u%07d', subject) AS \"user\""
_WRITTEN: Callable[[str], str] = "strftime(make_timestamp(\"{}\"), '%Y-%m-%dT%H:%M:%S.%fZ')".format
_TIMES = f'{_WRITTEN("at")} AS "at", {_WRITTEN("received")} AS received_at'
_AMOUNT = "(cents::DECIMAL(14,0) * 0.01::DECIMAL(3,2))::DECIMAL(12,2) AS amount"
_EVENT = f"{_ID.format('e')}, name, {_USER}, {_TIMES}, {_AMOUNT}, category, device"
_CONSENT = (
    f"printf('c%09d', number) AS event_id, {_SUBJECT}, purpose, action, "
    f"{_WRITTEN('at')} AS claimed_at, {_WRITTEN('received')} AS received_at"
)
_PROFILE = f"{_USER}, {_TIMES}, country, plan"


def _write(rows: pa.Table, path: Path, columns: str) -> None:
    """Write rows as one JSON object a line, in their order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.register("rows", rows)
    con.execute(f"COPY (SELECT {columns} FROM rows) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT json)")


def main() -> None:
    """Write a world of the size asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    parser.add_argument("--events", type=int, default=Size.events)
    parser.add_argument("--subjects", type=int, default=Size.subjects)
    parser.add_argument("--seed", type=int, default=Size.seed)
    asked = parser.parse_args()
    write_world(asked.folder, Size(asked.events, asked.subjects, asked.seed))
    for path in sorted(asked.folder.glob("*/**/*.ndjson")):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
