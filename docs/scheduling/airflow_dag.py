"""Segue under Airflow 3: one run for each hour, up to its end; what is busy is tried again, what is wrong is not.

Each interval has its own T, so that a task that is cleared or tried again publishes the same, and twice changes nothing.
"""

import os
import subprocess
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow.timetables.interval import CronDataIntervalTimetable

PROJECT = os.environ.get("SEGUE_PROJECT", "/srv/shop")
SEGUE = os.environ.get("SEGUE", "/opt/segue/.venv/bin/segue")
TRY_AGAIN = 75


@dag(
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # a warehouse has one writer, and T never goes back
    default_args={"retries": 5, "retry_delay": timedelta(minutes=2), "retry_exponential_backoff": True},
)
def segue() -> None:
    """Publish every hour."""

    @task
    def run(data_interval_end: datetime) -> None:
        """Publish up to the end of the interval. Only what may succeed later is tried again (exit code 75)."""
        call = [SEGUE, "--quiet", "--project-dir", PROJECT, "run", "--as-of", data_interval_end.isoformat()]
        code = subprocess.run(call, check=False).returncode
        if code == TRY_AGAIN:
            raise AirflowException("segue is to be tried again")
        if code:
            raise AirflowFailException(f"segue ended with {code}: {PROJECT}/target/runs has the page of the run")

    run()


segue()
