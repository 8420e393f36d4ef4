"""Who is counted among the subjects of a purpose, and from when on."""

from pathlib import Path

import pytest

from tests.support.histories import Shard
from tests.support.merged import FREE, event, instant, world
from tests.support.oracle_model import Json

SOURCES: Json = {"web": {"kind": "events", "properties": {}}}


@pytest.mark.parametrize(("at", "subjects"), [(instant(1) - 1, []), (instant(1), [1])])
def test_a_subject_is_counted_from_the_instant_of_its_first_fact_on(tmp_path: Path, at: int, subjects: list[int]) -> None:
    first = event(1, "ann")
    shard = Shard.of(tmp_path, world(first, sources=SOURCES, purposes=[FREE])).step([first], at)
    assert shard.published[0]["verdicts"]["subjects"].to_pylist() == subjects
