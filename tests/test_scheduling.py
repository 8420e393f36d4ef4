"""What docs/scheduling has for schedulers does as it says, as far as they let it be tried here."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runners.main import call
from runners.warehouses.ducklake import open_lake

ROOT = Path(__file__).parents[1]
CRONTAB = ROOT / "docs/scheduling/crontab"
DAG = ROOT / "docs/scheduling/airflow_dag.py"
AIRFLOW = os.environ.get("SEGUE_AIRFLOW", "")
"""The interpreter of an environment that has Airflow, which does not go with Beam into one."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert call(["--quiet", "init", str(tmp_path / "shop")]) == 0
    return tmp_path / "shop"


def segue(folder: Path) -> Path:
    """A program `segue` that needs nothing of the environment."""
    program = folder / "segue"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m runners.main "$@"\n')
    program.chmod(0o755)
    return program


def runs(project: Path) -> int:
    with open_lake(project / "warehouse") as lake:
        return int(lake.value("SELECT count(*) FROM run_commits"))


def cron(project: Path) -> str:
    """What cron would mail: it knows the variables of the file and no others, and reads up to a `%`."""
    lines = [line for line in CRONTAB.read_text().splitlines() if line and not line.startswith("#")]
    variables = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]+=", line))
    (line,) = (line for line in lines if not re.match(r"[A-Z]+=", line))
    assert "%" not in line and len(line) < 999
    own = {"PATH": f"{segue(project.parent).parent}:/usr/bin:/bin", "PROJECT": str(project), "LOG": str(project / "log")}
    assert own.keys() <= variables.keys()
    command = [variables["SHELL"], "-c", line.split(maxsplit=5)[5]]
    environment = {"HOME": "/", **variables, **own}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def test_by_cron_a_run_is_published_and_nobody_is_mailed(project: Path) -> None:
    assert cron(project) == ""
    assert runs(project) == 1


def test_by_cron_another_writer_is_not_told_of(project: Path) -> None:
    with open_lake(project / "warehouse", write=True):
        assert cron(project) == ""
    assert "SEG-0602" in (project / "log").read_text()


def test_by_cron_definitions_that_are_wrong_are_mailed(project: Path) -> None:
    (project / "segments/left_basket.yaml").write_text("segment: left_basket\n")
    assert cron(project) == f"segue ended with 2: see {project}/log\n"


@pytest.mark.skipif(not shutil.which("crontab"), reason="cron is not installed")
def test_cron_takes_the_file() -> None:
    assert subprocess.run(["crontab", "-T", str(CRONTAB)], check=False, timeout=60).returncode == 0


def airflow(project: Path, *command: str) -> str:
    """What a command of Airflow says of the DAG and one interval, in a home of its own."""
    home = project.parent / "airflow"
    own = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(DAG.parent), "AIRFLOW__CORE__LOAD_EXAMPLES": "false"}
    own |= {"SEGUE_PROJECT": str(project), "SEGUE": str(segue(project.parent))}
    begin = [AIRFLOW, "-m", "airflow"]
    subprocess.run([*begin, "db", "migrate"], env={**os.environ, **own}, capture_output=True, timeout=600, check=True)
    test = [*begin, *command, "2026-03-01T00:00:00+00:00"]
    done = subprocess.run(test, env={**os.environ, **own}, capture_output=True, text=True, timeout=600, check=False)
    return done.stdout + done.stderr


@pytest.mark.services
@pytest.mark.skipif(not AIRFLOW, reason="SEGUE_AIRFLOW names no interpreter that has Airflow")
def test_by_airflow_a_run_is_published_up_to_the_end_of_its_interval(project: Path) -> None:
    assert "state=success" in airflow(project, "dags", "test", "segue")
    with open_lake(project / "warehouse") as lake:
        assert lake.rows("SELECT CAST(t AS VARCHAR) FROM run_manifest") == [("2026-03-01 00:00:00+00",)]


@pytest.mark.services
@pytest.mark.skipif(not AIRFLOW, reason="SEGUE_AIRFLOW names no interpreter that has Airflow")
def test_by_airflow_what_is_busy_is_tried_again(project: Path) -> None:
    with open_lake(project / "warehouse", write=True):
        assert "AirflowException: segue is to be tried again" in airflow(project, "tasks", "test", "segue", "run")


@pytest.mark.services
@pytest.mark.skipif(not AIRFLOW, reason="SEGUE_AIRFLOW names no interpreter that has Airflow")
def test_by_airflow_what_is_wrong_is_not_tried_again(project: Path) -> None:
    (project / "segments/left_basket.yaml").write_text("segment: left_basket\n")
    assert "AirflowFailException: segue ended with 2" in airflow(project, "tasks", "test", "segue", "run")
