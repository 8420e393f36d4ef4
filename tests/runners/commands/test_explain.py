"""What `explain` says to people: every condition by what it asks, the nearest miss, and why nothing may be used."""

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from runners.main import call
from tests.support.oracle_model import DAY, HOUR, Consent, Event, Profile, World
from tests.support.whole_runs import Target

START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z
T = START + 10 * DAY
BOUGHT = {"did": {"event": "order", "where": "value > 1", "count": ">= 3", "window": "30d"}}
SEGMENTS: list[dict[str, Any]] = [
    {"segment": "staff", "purpose": "ads", "when": {"property": {"country": "= 'DE'", "missing": False}}},
    {"segment": "loyal", "purpose": "ads", "when": {"all": [BOUGHT, {"not": {"in_segment": "staff"}}]}},
    {"segment": "either", "purpose": "ads", "when": {"any": [BOUGHT, {"did_not": {"event": ["order", "view"]}}]}},
]


def ledger(subject: str, action: str, at: int) -> Consent:
    return Consent("led", subject, f"{action}{at}", "ads", action, at, at, method="interactive", actor="subject")


def order(subject: str, number: int) -> Event:
    return Event("app", subject, f"o{number}", "order", START + number * HOUR, START + number * HOUR, {"value": 5})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann ordered twice; Bob withdrew; Eve ordered three times and is one of the staff."""
    sources = {
        "app": {"kind": "events", "properties": {"value": "int"}},
        "crm": {"kind": "profiles", "properties": {"country": "string"}},
        "led": {"kind": "consents"},
    }
    purposes = [{"id": "ads", "basis": "consent"}]
    made = {"timezone": "UTC", "purposes": purposes, "sources": sources, "segments": SEGMENTS}
    target = Target(tmp_path_factory.mktemp("told"), World(made)).sharded(1)
    facts = [*(ledger(who, "GRANT", START) for who in ("ann", "bob", "eve")), ledger("bob", "WITHDRAW", START + DAY)]
    orders = [order("ann", 1), order("ann", 2), *(order("eve", number) for number in (1, 2, 3))]
    target.write([*facts, *orders, Profile("crm", "eve", START, START, {"country": "DE"})])
    target.run(T)
    return target.folder


def explained(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit code, what was said and what was noted."""
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as noted:
        code = call(["--project-dir", str(folder), *arguments])
    return code, said.getvalue(), noted.getvalue()


def test_the_nearest_miss_is_told_with_its_distance(folder: Path) -> None:
    _, said, _ = explained(folder, "explain", "ann", "loyal")
    rule = "did order where value > 1, count >= 3, the last 30 days"
    assert f"nearest miss: {rule}: is 2, wanted >= 3, misses by 1\n" in said
    assert said.count("nearest miss") == 1


def test_of_alternatives_one_is_the_nearest_miss(folder: Path) -> None:
    assert explained(folder, "explain", "ann", "either")[1].count("nearest miss") == 1


def test_another_segment_is_named_and_so_is_it_where_it_is_missed(folder: Path) -> None:
    _, said, _ = explained(folder, "explain", "eve", "loyal")
    assert "\nyes         in_segment staff\n" in said
    assert "nearest miss: not in_segment staff\n" in said
    assert "wanted >= 3;" in said, "nothing is to spare"


def test_where_a_purpose_is_closed_it_says_why_and_by_which_row(folder: Path) -> None:
    _, said, _ = explained(folder, "explain", "bob", "loyal")
    assert "ads is closed: the consent was withdrawn (WITHDRAWN)" in said
    assert "WITHDRAW ads claimed at 2026-01-06T00:00:00Z, acts from 2026-01-06T00:00:00Z" in said
    assert "nearest miss: nothing may be used for ads, so no condition is looked at" in said
    assert "unknown" not in said


def test_a_row_that_acts_later_is_told_as_one_that_will(folder: Path) -> None:
    _, said, _ = explained(folder, "explain", "bob", "loyal", "--at", "2026-01-05")
    assert "ads is open: by consent" in said
    assert "WITHDRAW ads claimed at 2026-01-06T00:00:00Z, will act from" in said


def test_a_t_behind_the_last_one_is_told_to_be_a_forecast(folder: Path) -> None:
    assert "T lies after that of the last run" in explained(folder, "explain", "ann", "loyal", "--at", "2027-01-01")[2]
    assert explained(folder, "explain", "ann", "loyal", "--at", "2026-01-15")[2] == ""


def test_a_subject_that_is_not_known_is_said_in_words_without_its_id(folder: Path) -> None:
    code, said, noted = explained(folder, "explain", "nobody", "loyal")
    assert (code, said) == (2, "")
    assert "no record came with this id" in noted
    assert "nobody" not in noted


def test_the_rule_of_a_node_is_what_its_definition_says(folder: Path) -> None:
    told = json.loads(explained(folder, "--format", "json", "explain", "ann", "either")[1])
    assert set(told) >= {"subject", "segment", "at", "known", "member", "population", "purpose_open", "tree"}
    rules = [child["rule"] for child in told["tree"]["children"]]
    assert (told["tree"]["rule"], rules[1]) == ("any", "did_not order, view")


@pytest.fixture(scope="module")
def shouting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose events and profiles come with ids in capitals and blanks, which are read without."""
    root = tmp_path_factory.mktemp("shouting")
    assert call(["--quiet", "init", str(root)]) == 0
    for source, field in (("shop", "events"), ("people", "people")):
        definition, data = root / f"sources/{source}.yaml", root / f"data/{field}.ndjson"
        definition.write_text(definition.read_text() + "normalise: {subject: [trim, lower]}\n")
        data.write_text(data.read_text().replace('"user": "ada"', '"user": " ADA"'))
    assert call(["--quiet", "--project-dir", str(root), "run"]) == 0
    return root


@pytest.mark.parametrize("asked", ["ada", "Ada", " ADA", "aDa  "])
def test_an_id_is_found_as_its_source_normalises_it(shouting: Path, asked: str) -> None:
    code, said, _ = explained(shouting, "--format", "json", "explain", asked, "good_customers")
    assert code == 0
    assert (json.loads(said)["subject"], json.loads(said)["member"]) == ("ada", True)


@pytest.mark.parametrize("asked", ["adah", "' OR true --", "a da", ""])
def test_an_id_that_no_source_would_write_so_is_not_known(shouting: Path, asked: str) -> None:
    code, _, noted = explained(shouting, "explain", asked, "good_customers")
    assert (code, "SEG-0905" in noted) == (2, True)


def test_an_id_is_first_looked_for_as_it_is_asked(shouting: Path, tmp_path: Path) -> None:
    root = shutil.copytree(shouting, tmp_path / "shop")
    granted = (root / "data/consents.ndjson").read_text().splitlines()[0]
    (root / "sources/consents.yaml").write_text(
        (root / "sources/consents.yaml").read_text().replace("consents.ndjson", "consents*.ndjson")
    )
    (root / "data/consents2.ndjson").write_text(granted.replace('"ada"', '"ADA"').replace('"c1"', '"c9"') + "\n")
    assert call(["--quiet", "--project-dir", str(root), "run"]) == 0
    for asked, found in (("ADA", "ADA"), ("Ada", "ada")):
        told = json.loads(explained(root, "--format", "json", "explain", asked, "good_customers")[1])
        assert (told["subject"], told["member"]) == (found, found == "ada")
