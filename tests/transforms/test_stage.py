"""What a shard leaves for publishing."""

from pathlib import Path

import pyarrow as pa

from transforms.spill import take_up
from transforms.stage import Stage

PEOPLE = pa.table({"subject": ["ann", "bob"]})


def test_a_table_that_has_no_rows_the_second_time_keeps_no_file_of_the_first(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"visitors": PEOPLE.schema})
    stage.write("visitors", "0001", PEOPLE)
    stage.write("visitors", "0002", PEOPLE)
    stage.write("visitors", "0001", PEOPLE.slice(0, 0))
    assert [path.name for path in (tmp_path / "visitors").iterdir()] == ["0002.parquet"]


def test_a_table_without_rows_has_no_file(tmp_path: Path) -> None:
    Stage(tmp_path, {"visitors": PEOPLE.schema}).write("visitors", "0001", PEOPLE.slice(0, 0))
    assert [*tmp_path.iterdir()] == []


def test_a_shard_leaves_what_it_has_received_and_of_whom_it_needs_all_facts(tmp_path: Path) -> None:
    stage, received = Stage(tmp_path, {}), [pa.record_batch({"path": ["p"]}), pa.record_batch({"n": [1]})]
    stage.keep(3, received)
    stage.ask(3, pa.array(["ann"]))
    assert [*take_up(tmp_path / "received" / "0003.arrow")] == received
    assert [one["subject"].to_pylist() for one in take_up(tmp_path / "asked" / "0003.arrow")] == [["ann"]]
