from typing import Any

import pyarrow as pa
import pytest

from schemas import (
    backfill,
    backfill_interval,
    backfill_piece,
    change,
    consent,
    event,
    feature_row,
    kernel_state,
    lifecycle,
    profile,
    rejection,
    run,
    session,
    transition,
    verdict,
)
from schemas.definitions.datatype import DataType
from schemas.kinds import EVENTS

TABLES = (
    *(event, profile, consent, rejection, transition, change, feature_row, run, session, lifecycle, verdict, kernel_state),
    *(backfill, backfill_interval, backfill_piece),
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.TABLE)
def test_every_table_and_column_has_a_comment(table: Any) -> None:
    assert table.COMMENT and set(table.COMMENTS) == set(table.SCHEMA.names) and all(table.COMMENTS.values())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.TABLE)
def test_every_instant_is_in_microseconds_utc(table: Any) -> None:
    instants = [column.type for column in table.SCHEMA if pa.types.is_timestamp(column.type)]
    assert set(instants) <= {pa.timestamp("us", tz="UTC")}


def test_declared_properties_follow_the_built_in_columns_by_name() -> None:
    schema = EVENTS.schema({"price": DataType.parse("decimal(12,2)"), "brand": DataType.parse("string")})
    assert schema.names == [*event.SCHEMA.names, "brand", "price"] and schema.field("price").type == pa.decimal128(
        12, 2
    )


def test_an_action_permits_or_restricts() -> None:
    assert set(consent.PERMISSIVE).isdisjoint(consent.RESTRICTIVE) and len(consent.ACTIONS) == 9
