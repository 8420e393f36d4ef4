import json
from pathlib import Path

import pyarrow as pa
import pytest

from runners.main import call
from transforms.algebra.engine import connect


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    assert call(["--quiet", "init", str(tmp_path / "new")]) == 0
    return tmp_path / "new"


def test_the_paths_of_all_files_are_told(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert call(["--project-dir", str(starter), "compile"]) == 0
    told = {Path(line).relative_to(starter).as_posix() for line in capsys.readouterr().out.split()}
    compiled = {"segments/good_customers.sql", "segments/left_basket.sql", "features/orders.sql"}
    assert told == {"target/manifest.json", *(f"target/compiled/{name}" for name in compiled)}
    assert all((starter / name).is_file() for name in told)


def test_the_sql_runs(starter: Path) -> None:
    call(["--project-dir", str(starter), "compile", "--select", "left_basket"])
    assert not (starter / "target/compiled/segments/good_customers.sql").exists()
    amounts = pa.array([30, 29], pa.decimal128(12, 2))
    events = {"subject": ["a", "b"], "occurred_at": [0, 0], "event": ["basket_filled"] * 2, "amount": amounts}
    con = connect()
    con.register("events", pa.table(events))
    rows = con.execute((starter / "target/compiled/segments/left_basket.sql").read_text()).fetchall()
    con.close()
    assert [row[0] for row in rows] == ["a"]


def test_the_manifest_tells_what_refers_to_what(starter: Path) -> None:
    call(["--project-dir", str(starter), "compile"])
    said = json.loads((starter / "target/manifest.json").read_text())
    assert said["version"] == 1
    assert said["segments"]["good_customers"]["refers_to"]["features"] == ["orders.spend_30d"]
    assert said["segments"]["left_basket"]["refers_to"]["profile_columns"] == ["country"]
    assert said["segments"]["left_basket"]["refers_to"]["events"] == ["basket_filled", "order_completed"]
    assert all(len(one["meaning"]) == 64 for kind in ("segments", "features") for one in said[kind].values())


def test_twice_is_the_same(starter: Path) -> None:
    call(["--project-dir", str(starter), "compile"])
    before = (starter / "target/manifest.json").read_bytes()
    call(["--project-dir", str(starter), "compile"])
    assert (starter / "target/manifest.json").read_bytes() == before
