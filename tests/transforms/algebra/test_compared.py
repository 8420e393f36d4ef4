"""An aggregate that is compared with several constants is compared with each."""

from pathlib import Path

import pytest

from tests.support.histories import Shard
from tests.support.merged import FREE, event, instant, world
from tests.support.oracle_model import Json
from transforms.algebra.aggregates import AGGREGATES

SOURCES: Json = {"web": {"kind": "events", "properties": {"n": "int"}}}
MORE: Json = {"percentile": {"p": 0.5}, "share": {"value": 1}}
LISTS = {"list", "top_k"}


def compared(comparison: str) -> Json:
    return {"aggregate": {"feature": "g.v_5h", "compare": comparison}}


@pytest.mark.parametrize("op", sorted({*AGGREGATES} - LISTS))
def test_a_comparison_with_two_constants_holds_where_one_with_either_does(tmp_path: Path, op: str) -> None:
    of = {"of": "n"} if AGGREGATES[op].takes_column else {}
    group = {"features": "g", "purpose": "free", "source": "buy"}
    group["aggregates"] = [{"name": "v", "op": op, "windows": ["5h"], **of, **MORE.get(op, {})}]
    events = [event(hour, "ann", n=n) for hour, n in enumerate((1, 2, 2, 0, 1, 1, 3, 3, 2))]
    either = [{"segment": "either", "purpose": "free", "when": {"any": [compared("<= 1"), compared("= 2")]}}]
    asked = world(*events, sources=SOURCES, purposes=[FREE], features=[group], segments=either, when=compared("<= 1 OR = 2"))
    found = Shard.of(tmp_path, asked).step(events, instant(20)).believed()
    assert found["it", "ann"] == found["either", "ann"]
