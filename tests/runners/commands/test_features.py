"""Features as of instants, as their user asks for them: like the law, like what was published, in the order of the file."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from runners.answers import recalling
from runners.main import call
from schemas.definitions.instant import write_instant
from tests.runners.test_random_projects import Driven, value_of
from tests.support.generator import SUBJECTS
from tests.support.oracle import feature
from tests.support.oracle_model import DAY
from tests.support.oracle_subject import Known


def features(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit code, what was said and what was noted."""
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as noted:
        code = call(["--project-dir", str(folder), "features", *arguments])
    return code, said.getvalue(), noted.getvalue()


def answered(folder: Path, pairs: list[tuple[str, str]], *arguments: str) -> list[dict[str, Any]]:
    """The rows for some pairs, which are asked by a file."""
    path = folder / "asked.ndjson"
    path.write_text("".join(json.dumps({"subject": subject, "at": at}) + "\n" for subject, at in pairs))
    code, said, noted = features(folder, "--at", str(path), "--format", "json", *arguments)
    assert code == 0, noted
    return list(json.loads(said))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter after its run, with ids that are read without blanks and in small letters."""
    root = tmp_path_factory.mktemp("shop")
    assert call(["--quiet", "init", str(root)]) == 0
    definition = root / "sources/shop.yaml"
    definition.write_text(definition.read_text() + "normalise: {subject: [trim, lower]}\n")
    (root / "features/letters.yaml").write_text(LETTERS)
    assert call(["--quiet", "--project-dir", str(root), "run"]) == 0
    return root


LETTERS = """
features: letters
purpose: newsletter
source: basket_filled
aggregates: [{name: baskets, op: count}]
"""
COLUMN = "orders__number_lifetime"


def test_each_row_is_as_of_its_own_instant_in_the_order_of_the_file(shop: Path) -> None:
    instants = ["2026-01-21T18:30:00Z", "2026-01-10", "2026-01-21T18:29:59.999999Z", "2026-01-21T18:30:00Z"]
    rows = answered(shop, [("ada", at) for at in instants])
    assert [row[COLUMN] for row in rows] == [2, 0, 1, 2]
    assert [row["at"] for row in rows[1:3]] == ["2026-01-09T23:00:00.000000Z", "2026-01-21T18:29:59.999999Z"]


def test_an_order_that_was_reported_later_is_not_known_before(shop: Path) -> None:
    asked = [("kim", "2026-01-30T13:00:00Z")]
    assert answered(shop, asked)[0][COLUMN] == 1
    assert answered(shop, asked, "--known", "2026-01-30T13:00:00Z")[0][COLUMN] == 0


def test_of_a_subject_that_is_not_known_then_there_are_nulls(shop: Path) -> None:
    rows = answered(shop, [("nobody", "2026-01-30"), ("ada", "2025-11-30"), ("ada", "2025-12-02")])
    assert [row[COLUMN] for row in rows] == [None, None, 0]


def test_columns_of_a_purpose_that_is_not_open_are_null(shop: Path) -> None:
    pairs = [("leo", "2026-01-31T11:00:00Z"), ("leo", "2026-01-31T12:00:00Z"), ("eve", "2026-01-31T12:00:00Z")]
    rows = answered(shop, pairs)
    assert [row["letters__baskets_lifetime"] for row in rows] == [1, None, None]
    assert [row[COLUMN] for row in rows] == [0, 0, 0]


def test_an_id_is_found_as_its_source_writes_it_and_told_as_it_was_asked(shop: Path) -> None:
    rows = answered(shop, [(" ADA", "2026-01-30"), ("ada", "2026-01-30")])
    assert [(row["subject"], row[COLUMN]) for row in rows] == [(" ADA", 2), ("ada", 2)]


def test_only_the_features_that_are_selected_are_told(shop: Path) -> None:
    (row,) = answered(shop, [("ada", "2026-01-30")], "--select", "purpose:newsletter")
    assert list(row) == ["subject", "at", "letters__baskets_lifetime"]
    assert features(shop, "--at", "none.csv", "--select", "good_customers")[0] == 3
    (row,) = answered(shop, [("ada", "2026-01-30")], "--select", "good_customers", "--allow-empty")
    assert list(row) == ["subject", "at"]


def test_parquet_keeps_the_types(shop: Path, tmp_path: Path) -> None:
    (shop / "asked.csv").write_text("subject,at\nada,2026-01-30\n")
    code, said, noted = features(shop, "--at", str(shop / "asked.csv"), "--output", str(tmp_path / "rows.parquet"))
    assert (code, said) == (0, "") and "1 rows in" in noted
    kinds = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "rows.parquet")}
    assert kinds["at"] == "timestamp[us, tz=UTC]" and kinds["orders__spend_30d"] == "decimal128(38, 2)"


@pytest.mark.parametrize("form", ["text", "csv"])
def test_rows_are_written_as_other_results_are(shop: Path, form: str) -> None:
    (shop / "asked.csv").write_text("subject,at\nada,2026-01-30\nbob,2026-01-30\n")
    _, said, _ = features(shop, "--at", str(shop / "asked.csv"), "--format", form)
    assert len(said.splitlines()) == (4 if form == "text" else 3)


@pytest.mark.parametrize(
    ("text", "arguments", "code", "noted"),
    [
        ("subject,at\nada,soon\n", (), 2, "no instant in row 1"),
        ("subject,at\nada,2026-01-30\n", ("--known", "soon"), 2, "--known is no instant"),
        ("subject,at\nada,2026-01-30\n", ("--format", "xml"), 2, "format"),
        ("subject,at\nada,2027-01-30\n", (), 0, "T lies after that of the last run"),
    ],
)
def test_what_is_said_of_a_call(shop: Path, text: str, arguments: tuple[str, ...], code: int, noted: str) -> None:
    (shop / "asked.csv").write_text(text)
    found = features(shop, "--at", str(shop / "asked.csv"), *arguments)
    assert found[0] == code and noted in found[2]


def test_before_the_first_run_nothing_is_known(tmp_path: Path) -> None:
    assert call(["--quiet", "init", str(tmp_path)]) == 0
    (tmp_path / "asked.csv").write_text("subject,at\nada,2026-01-30\n")
    code, _, noted = features(tmp_path, "--at", str(tmp_path / "asked.csv"))
    assert code == 2 and "SEG-0601" in noted


@pytest.mark.parametrize("seed", [1, 125])
def test_a_random_project_tells_features_as_the_law_does(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By few facts at a time, so that the subjects come in portions."""
    monkeypatch.setattr(recalling, "_MOST", 3)
    driven, random = Driven(tmp_path, seed, scored=False), Random(seed)
    for number in range(len(driven.project.steps)):
        driven.run(number)
    world, known_at, at = driven.worlds[-1]
    instants = [at, *(instant + random.choice([-1, 0, 1]) for instant in driven.project.instants)]
    pairs = [(random.choice(SUBJECTS), random.choice(instants)) for _ in range(40)]
    columns = [name.replace(".", "__", 1) for name, _, _ in driven.project.features]
    for known in (known_at, known_at - random.randrange(5 * DAY)):
        asked = [(subject, write_instant(at)) for subject, at in pairs]
        for (subject, at), row in zip(pairs, answered(tmp_path, asked, "--known", write_instant(known)), strict=True):
            first = Known(world, known).person(subject).first_fact
            is_known = first is not None and first <= at
            told = {name: feature(world, name, subject, at, known) if is_known else None for name in columns}
            assert {name: value_of(row[name]) for name in columns} == told, (subject, at, known)
