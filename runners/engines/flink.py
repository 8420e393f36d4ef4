"""Flink: a cluster, through a job server of Beam."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import apache_beam as beam

from runners.engines import portable
from runners.engines.portable import Job, environment, see_that_it_answers, submitted
from schemas.definitions.duration import SECOND
from schemas.definitions.engines import LOCAL
from schemas.errors import CallError

WORKER = "segue-worker"
"""The program that begins a worker; it comes with Segue."""


def options_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """The options of Flink for what a target says. Those that Beam for Python does not know its job server takes.

    A bundle counts elements, and an element holds many records. State is little: what shards have received of a cut, and paths.
    """
    wanted = {
        **portable.OPTIONS,
        **_workers(said),
        "flink_master": said["master"],
        "flink_version": said["version"],
        "parallelism": said["parallelism"],
        "checkpointing_interval": said["checkpoint_every"] * 1_000 // SECOND,
        "checkpointing_mode": "AT_LEAST_ONCE",  # nothing of a cut counts before the commit, and nothing waits for a barrier
        "max_bundle_size": said["bundle"],
        "max_bundle_time_mills": 100,
        "state_backend": "filesystem",
        "finish_bundle_before_checkpointing": True,
    }
    named = {"job_endpoint": said["job_endpoint"], "state_backend_storage_path": said["checkpoints"]}
    return {**wanted, **{name: value for name, value in named.items() if value}}


def _workers(said: Mapping[str, Any]) -> dict[str, str]:
    if said["workers"] or said["master"] == LOCAL:
        return environment(said["workers"])
    return {"environment_type": "PROCESS", "environment_config": json.dumps({"command": WORKER})}


def see_that_it_is_there(said: Mapping[str, Any]) -> None:
    """Errors: CallError where there is no Java to begin a job server; TryAgain where the one that is named does not answer."""
    if said["job_endpoint"]:
        see_that_it_answers(said["job_endpoint"], "job server", "start Beam's job server for Flink there, or leave it out")
    elif shutil.which("java") is None:
        remedy = "install Java, or name a job server that runs: `flink: {job_endpoint: host:port}`"
        raise CallError("SEG-0916", "the job server of Flink is begun with Java, which is not there", remedy)


@contextmanager
def running(pipeline: beam.PTransform, said: Mapping[str, Any]) -> Iterator[Job]:
    """Run a pipeline without an end; what is left of it at the end is cancelled.

    Errors: those of `see_that_it_is_there`; TryAgain where the job server does not take it.
    """
    from apache_beam.runners.portability.flink_runner import FlinkRunner

    see_that_it_is_there(said)
    with submitted(pipeline, options_of(said), runner=FlinkRunner) as job:
        yield job
