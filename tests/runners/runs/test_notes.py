"""What a run says of its sources: names that no record has, where something may be meant, and files without their end."""

import gzip
import json
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from runners.main import call
from runners.runs.account import unseen
from transforms.ingest import ACCOUNT


def account(*rows: tuple[str, dict[str, str] | None]) -> pa.Table:
    """A chunk's source and what it says of names."""
    told = [{"source": source, "unseen": None if said is None else json.dumps(said)} for source, said in rows]
    return pa.Table.from_pylist(told, schema=ACCOUNT)


def test_a_path_is_unseen_where_no_chunk_of_its_source_has_a_value() -> None:
    assert unseen(account(("a", {"x": "", "y": ""}), ("a", {"y": "yy"}), ("b", {"x": ""}))) == {"a": {"y": "yy"}, "b": {"x": ""}}
    assert unseen(account(("a", {"x": "xx"}), ("a", {}))) == {"a": {}}


def test_the_first_name_that_is_like_it_is_kept() -> None:
    assert unseen(account(("a", {"x": "xx"}), ("a", {"x": ""}), ("a", {"x": "xxx"}))) == {"a": {"x": "xx"}}


def test_a_chunk_of_which_no_record_could_be_read_says_nothing() -> None:
    assert unseen(account(("a", None), ("a", {"x": "xx"}), ("b", None))) == {"a": {"x": "xx"}}
    assert unseen(account()) == {}


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    assert call(["--quiet", "init", str(tmp_path / "shop")]) == 0
    change(tmp_path / "shop/sources/shop.yaml", "events.ndjson", "events*.ndjson")
    return tmp_path / "shop"


def change(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def notes(project: Path, capsys: pytest.CaptureFixture[str], of: str = "no record of") -> list[str]:
    """What a run says of names that no record has, or of something else."""
    capsys.readouterr()
    assert call(["--project-dir", str(project), "run"]) == 0
    return [line for line in capsys.readouterr().err.splitlines() if of in line]


AMOUNT = "note: no record of `shop` that was read has a value at `amount`; did you mean `amounts`?"


def test_a_misspelt_property_is_told_once_for_all_files_that_were_read(
    starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = starter / "data/events.ndjson"
    change(first, '"amount"', '"amounts"')
    (starter / "data/events2.ndjson").write_text(first.read_text().replace('"id": "e', '"id": "f'))
    assert notes(starter, capsys) == [AMOUNT]


def test_where_one_file_has_the_name_nothing_is_told(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = starter / "data/events.ndjson"
    other = first.read_text().replace('"id": "e', '"id": "f').replace('"amount"', '"amounts"')
    (starter / "data/events2.ndjson").write_text(other)
    assert notes(starter, capsys) == []


def test_a_field_without_which_a_record_is_nothing_is_told_also_where_no_name_is_like_it(
    starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(starter / "sources/shop.yaml", "subject: user", "subject: zzz")
    assert notes(starter, capsys) == ["note: no record of `shop` that was read has a value at `zzz`"]


def test_a_property_that_is_optional_and_like_no_name_is_passed_over(
    starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(starter / "sources/shop.yaml", "properties: {", "properties: {zzz: string, ")
    assert notes(starter, capsys) == []


def test_of_an_increment_only_what_it_read_is_told(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert notes(starter, capsys) == []
    other = (starter / "data/events.ndjson").read_text().replace('"id": "e', '"id": "f').replace('"amount"', '"amounts"')
    (starter / "data/events2.ndjson").write_text(other)
    assert notes(starter, capsys) == [AMOUNT]
    assert notes(starter, capsys) == []


def test_a_file_whose_end_is_missing_is_told_by_every_run_until_it_is_whole(
    starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(starter / "sources/shop.yaml", '"data/events*.ndjson"', '["data/events*.ndjson", "data/events*.ndjson.gz"]')
    dice, path = Random(4), starter / "data/events2.ndjson.gz"
    said = {"name": "order_completed", "user": "ada", "at": "2026-01-10T09:00:00Z"}
    rows = [{"id": dice.randbytes(8).hex(), **said} for _ in range(900)]
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    path.write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        (told,) = notes(starter, capsys, "data/events2.ndjson.gz")
        assert told.startswith("note: the end of `data/events2.ndjson.gz` is missing, as while a file is uploaded")
    path.write_bytes(whole)
    assert notes(starter, capsys, "data/events2.ndjson.gz") == []
    asked = "SELECT (SELECT count(*) FROM events WHERE length(event_id) = 16), (SELECT count(*) FROM quarantine)"
    assert call(["--project-dir", str(starter), "query", asked, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "900,0"


UNHEARD = "note: definitions name an event `{}`, and no record of any source tells of one"
ORDER = UNHEARD.format("order_complete") + "; did you mean `order_completed`?"


def misspell(project: Path) -> None:
    """One of two definitions names an event as no record does."""
    change(project / "features/orders.yaml", "source: order_completed", "source: order_complete")
    change(project / "segments/good_customers.yaml", "order_completed", "order_complete")


def test_an_event_that_no_record_tells_of_is_told_by_every_run_that_publishes(
    starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    misspell(starter)
    assert notes(starter, capsys) == [ORDER]
    assert notes(starter, capsys) == []
    change(starter / "segue.yaml", "as_of: 2026-02-01", "as_of: 2026-02-06")
    assert notes(starter, capsys) == [ORDER]


def test_an_event_that_is_like_none_is_told_without_a_name(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(starter / "segments/left_basket.yaml", "did_not: {event: order_completed", "did_not: {event: [order_completed, zzz]")
    assert notes(starter, capsys) == [UNHEARD.format("zzz")]


def test_an_event_that_any_earlier_run_stored_is_known(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (starter / "data/events.ndjson").read_text().splitlines(keepends=True)
    (starter / "data/events.ndjson").write_text("".join(lines[:2]))
    assert notes(starter, capsys) == []
    (starter / "data/events2.ndjson").write_text(lines[3])
    assert notes(starter, capsys) == []


def test_while_a_source_has_told_of_nothing_no_event_is_missed(starter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    misspell(starter)
    (starter / "data/events.ndjson").write_text("")
    assert notes(starter, capsys) == []
