"""Receipts: what decides K, the largest `received_at` of the facts dated up to T, while T is not known yet (semantics 2.4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.kinds import KINDS
from transforms.algebra.claims import ints
from transforms.algebra.order import BEGINNING, Ints
from transforms.in_order import PLACE, in_order

SCHEMA = pa.schema([("dated_at", pa.int64()), ("received_at", pa.int64())])


@dataclass(frozen=True)
class Receipts:
    """By rising date, each date and receipt that is larger than all of earlier dates. int64 microseconds UTC, of one length."""

    dated_at: Ints
    received_at: Ints

    @classmethod
    def of(cls, dated_at: Ints, received_at: Ints) -> "Receipts":
        """Of facts in any order: those kept are enough to know the largest receipt up to any date."""
        index = np.lexsort((-received_at, dated_at))
        dated_at, received_at = dated_at[index], received_at[index]
        before = np.maximum.accumulate(received_at)
        larger = np.ones(len(index), np.bool_)
        larger[1:] = received_at[1:] > before[:-1]
        return cls(dated_at[larger], received_at[larger])

    @classmethod
    def of_all(cls, several: Iterable["Receipts"]) -> "Receipts":
        """Of all of them together."""
        parts = [NONE, *several]
        return cls.of(np.concatenate([one.dated_at for one in parts]), np.concatenate([one.received_at for one in parts]))

    @classmethod
    def of_accounts(cls, accounts: pa.RecordBatch | pa.Table) -> "Receipts":
        """Those in the lists `dated_at` and `received_at` of accounts."""
        return cls.of(*(ints(pc.list_flatten(accounts[name]), BEGINNING) for name in SCHEMA.names))

    def until(self, at: int) -> int:
        """The largest receipt of what is dated up to an instant; BEGINNING where there is none."""
        count = int(np.searchsorted(self.dated_at, at, side="right"))
        return int(self.received_at[count - 1]) if count else BEGINNING

    def since(self, at: int) -> "Receipts":
        """Those that may decide K for a T of `at` or later: all up to it as one."""
        later = self.dated_at > at
        newest_at = self.until(at)
        first = ([at], [newest_at]) if newest_at != BEGINNING else ([], [])
        both = zip(first, (self.dated_at[later], self.received_at[later]), strict=True)
        return Receipts(*(np.concatenate([np.array(one, np.int64), rest]) for one, rest in both))

    def write(self, path: Path) -> None:
        """Write a file for `read`."""
        batch = pa.RecordBatch.from_arrays([pa.array(self.dated_at), pa.array(self.received_at)], schema=SCHEMA)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, SCHEMA) as stream:
            stream.write_batch(batch)

    @classmethod
    def read(cls, path: Path) -> "Receipts":
        """What was written."""
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            table = stream.read_all()
        return cls(*(ints(table[name], 0) for name in SCHEMA.names))


NONE = Receipts(np.empty(0, np.int64), np.empty(0, np.int64))


def receipts(con: duckdb.DuckDBPyConnection, facts: pa.RecordBatch, kind: str, at: int, is_t: bool) -> Receipts:
    """The receipts of facts of a kind. No T is smaller than `at`: of those dated up to it one is enough; if it `is_t`, of all."""
    dated_at, received_at = _dated(con, facts, KINDS[kind].dated), ints(facts["received_at"], BEGINNING)
    told = Receipts.of(dated_at, received_at)
    if is_t:
        told = Receipts(*(one[told.dated_at <= at] for one in (told.dated_at, told.received_at)))
    return told.since(at)


def _dated(con: duckdb.DuckDBPyConnection, facts: pa.RecordBatch, dated: str) -> Ints:
    """The instant that dates each fact. Where it is a column the engine is not asked, which takes longer than all else."""
    if dated in facts.schema.names:
        return ints(facts[dated], BEGINNING)
    found = in_order(con, pa.Table.from_batches([facts]), f"SELECT {PLACE}, {dated} AS dated FROM rows")
    return ints(found["dated"], BEGINNING)
