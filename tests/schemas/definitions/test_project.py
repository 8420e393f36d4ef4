from pathlib import Path
from typing import Any

import pytest

from schemas.definitions.catalog import read_project
from schemas.definitions.duration import UNITS
from schemas.definitions.instant import parse_instant
from schemas.definitions.project import find_root
from schemas.definitions.segment import ActiveIn
from schemas.errors import CallError, DefinitionErrors
from tests.support.tiny_language import LANGUAGE, problems, read, told, write

TARGETS = """
targets:
  dev: {warehouse: "ducklake:warehouse"}
  live: {warehouse: "ducklake:${PLACE}", local: {token: "${TOKEN}"}}
  lake: {warehouse: "ducklake:postgres:password=hunter2", shards: 4}
  prod: {warehouse: "bigquery:my-project.segments", runner: dataflow, dataflow: {region: europe-west3}}
"""


def settings(more: str) -> str:
    return "name: shop\n" + more


def test_the_default_target_is_dev_or_the_only_one(tmp_path: Path) -> None:
    assert read(tmp_path, segue=settings(TARGETS)).target.name == "dev"
    assert read(tmp_path, segue=settings("targets: {only: {warehouse: 'ducklake:w'}}")).target.name == "only"


def test_a_target_is_filled_from_the_environment(tmp_path: Path) -> None:
    write(tmp_path, segue=settings(TARGETS))
    target = read_project(tmp_path, LANGUAGE, "live", {"PLACE": "secret", "TOKEN": "hidden"}).target
    assert (target.warehouse, target.runner, target.options["token"]) == ("ducklake:secret", "local", "hidden")


def test_the_options_of_an_engine_are_filled_and_those_that_are_not_said_have_their_defaults(tmp_path: Path) -> None:
    said = "targets: {dev: {warehouse: 'ducklake:w', runner: flink, flink: {master: '${JOBS}', checkpoint_every: 2s}}}"
    write(tmp_path, segue=settings(said))
    target = read_project(tmp_path, LANGUAGE, "dev", {"JOBS": "jobs:8081"}).target
    assert {name: target.options[name] for name in ("master", "checkpoint_every", "workers", "bundle")} == {
        "master": "jobs:8081", "checkpoint_every": 2_000_000, "workers": "", "bundle": 100,
    }  # fmt: skip


def test_what_the_environment_says_is_never_shown(tmp_path: Path) -> None:
    write(tmp_path, segue=settings(TARGETS))
    shown = repr(read_project(tmp_path, LANGUAGE, "live", {"PLACE": "secret", "TOKEN": "hidden"}))
    assert "secret" not in shown and "hidden" not in shown


@pytest.mark.parametrize(("target", "code"), [("live", "SEG-0405"), ("lvie", "SEG-0404"), ("", None)])
def test_a_target_that_can_not_be_had_is_a_mistake_of_the_call(tmp_path: Path, target: str, code: str | None) -> None:
    write(tmp_path, segue=settings(TARGETS))
    if code is None:
        assert read_project(tmp_path, LANGUAGE, target, {}).target.name == "dev"
        return
    with pytest.raises(CallError) as refused:
        read_project(tmp_path, LANGUAGE, target, {})
    assert refused.value.code == code


def test_a_target_that_this_version_can_not_bring_up_is_warned_of(tmp_path: Path) -> None:
    warnings = read(tmp_path, segue=settings(TARGETS)).warnings
    found = [(one.code, one.line, one.severity) for one in warnings if one.file == "segue.yaml"]
    assert found == [("SEG-0600", 6, "warning"), ("SEG-0417", 7, "warning"), ("SEG-0413", 7, "warning")]


@pytest.mark.parametrize(
    ("target", "found"), [("lake", [("SEG-0600", 6, 21)]), ("prod", [("SEG-0417", 7, 21), ("SEG-0413", 7, 61)])]
)
def test_the_target_in_use_must_be_one_that_this_version_can_bring_up(tmp_path: Path, target: str, found: list[tuple[Any, ...]]) -> None:
    write(tmp_path, segue=settings(TARGETS))
    with pytest.raises(DefinitionErrors) as refused:
        read_project(tmp_path, LANGUAGE, target, {})
    assert [(one.code, one.line, one.column) for one in refused.value.problems] == found
    assert all(one.expected for one in refused.value.problems)
    assert "hunter2" not in str(refused.value)


def test_what_is_said_of_a_dataset_beside_its_address_is_filled_from_the_environment(tmp_path: Path) -> None:
    said = "targets: {dev: {warehouse: 'bigquery:p.d', bigquery: {state: 'gs://${BUCKET}/segue', location: EU}}}"
    write(tmp_path, segue=settings(said))
    target = read_project(tmp_path, LANGUAGE, "dev", {"BUCKET": "shop"}).target
    assert target.store == {"state": "gs://shop/segue", "location": "EU"}


def test_the_default_target_is_the_one_in_use(tmp_path: Path) -> None:
    assert told(tmp_path, segue=settings(TARGETS + "default_target: lake")) == ["SEG-0600 6:21"]


def test_dates_of_the_settings_are_local(tmp_path: Path) -> None:
    text = "timezone: Europe/Berlin\nas_of: 2026-07-01\ntargets: {dev: {warehouse: 'ducklake:w'}}"
    assert read(tmp_path, segue=settings(text)).as_of == parse_instant("2026-06-30T22:00Z")


def test_the_default_population_is_that_of_segments_that_name_none(tmp_path: Path) -> None:
    text = "defaults: {population: {active_in: 90d}}\ntargets: {dev: {warehouse: 'ducklake:w'}}"
    assert read(tmp_path, segue=settings(text)).segments["buyers"].population == ActiveIn(90 * UNITS["d"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("targets: {}", ["SEG-0115 2:10"]),
        ("", ["SEG-0101 1:1"]),
        ("targets: {dev: {warehouse: warehouse}}", ["SEG-0406 2:28"]),
        ("targets: {dev: {warehouse: 'sqlite:x'}}", ["SEG-0406 2:28"]),
        ("targets: {dev: {warehouse: 'bigquery:x'}}", ["SEG-0406 2:28"]),
        ("targets: {dev: {warehouse: 'ducklake:w', runner: spark}}", ["SEG-0103 2:50"]),
        ("targets: {dev: {warehouse: 'ducklake:w', shards: 0}}", ["SEG-0116 2:50"]),
        ("targets: {dev: {warehouse: 'ducklake:w', prism: {workers: here}}}", ["SEG-0416 2:59"]),
        ("targets: {dev: {warehouse: 'ducklake:w', prism: {processes: 4}}}", ["SEG-0116 2:61"]),
        ("targets: {dev: {warehouse: 'ducklake:w', prism: {worker: 'a:1'}}}", ["SEG-0102 2:50"]),
        ("targets: {dev: {warehouse: 'ducklake:w', flink: {checkpoint_every: 30s}}}", ["SEG-0116 2:68"]),
        ("targets: {dev: {warehouse: 'ducklake:w', flink: {checkpoints: /var}}}", ["SEG-0416 2:63"]),
        ("targets: {dev: {warehouse: 'bigquery:p.d', bigquery: {state: 'gs:x'}}}", ["SEG-0417 2:62"]),
        ("targets: {dev: {warehouse: 'bigquery:p.d', bigquery: {state: s, location: E U}}}", ["SEG-0417 2:75"]),
        ("targets: {dev: {warehouse: 'ducklake:w', flink: {version: '1.0'}}}", ["SEG-0103 2:59"]),
        ("targets: {dev: {warehouse: 'ducklake:w'}}\ndefault_target: prod", ["SEG-0404 3:17"]),
        ("targets: {dev: {warehouse: 'ducklake:w'}}\ntimezone: Berlin", ["SEG-0111 3:11"]),
        ("targets: {dev: {warehouse: 'ducklake:w'}}\nas_of: now", ["SEG-0110 3:8"]),
        ("targets: {dev: {warehouse: 'ducklake:w'}}\nroots: [data]", ["SEG-0401 3:9"]),
        ("targets: {dev: {warehouse: 'ducklake:w'}}\ntimezon: UTC", ["SEG-0102 3:1"]),
    ],
)
def test_what_is_wrong_with_the_settings_is_told_where_it_stands(tmp_path: Path, text: str, found: list[str]) -> None:
    assert told(tmp_path, segue=settings(text)) == found


def test_a_folder_without_settings_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert {problem.code for problem in problems(tmp_path, segue="")} == {"SEG-0400"}


def test_the_project_is_the_nearest_folder_up(tmp_path: Path) -> None:
    write(tmp_path)
    assert find_root(tmp_path / "segments") == tmp_path
    with pytest.raises(CallError):
        find_root(tmp_path.parent)
