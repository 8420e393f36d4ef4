"""The options of Flink are what a target says, by names that Beam and its job server know."""

import json
from typing import Any

import pytest
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
    WorkerOptions,
)

from runners.engines.flink import options_of
from schemas.definitions.engines import Flink

SERVER_OPTIONS = {
    "checkpointing_interval",
    "checkpointing_mode",
    "finish_bundle_before_checkpointing",
    "max_bundle_size",
    "max_bundle_time_mills",
    "state_backend",
    "state_backend_storage_path",
}
"""Those of Beam's page on its Flink runner that only the job server knows."""


def options(**said: Any) -> dict[str, Any]:
    return options_of(Flink(**said).model_dump())


def known(said: dict[str, Any]) -> PipelineOptions:
    return PipelineOptions.from_dictionary(said)


def test_every_option_is_known_to_beam_or_to_its_job_server() -> None:
    said = options(master="jobs:8081", workers="localhost:50000", job_endpoint="localhost:8099", checkpoints="file:///x")
    understood = known(said).get_all_options()
    assert said.keys() - understood.keys() == SERVER_OPTIONS
    assert {name: understood[name] for name in said.keys() & understood.keys()} == {
        name: said[name] for name in said.keys() & understood.keys()
    }


def test_a_cluster_has_the_workers_of_a_pool_that_stands_beside_each_of_its_machines() -> None:
    said = known(options(master="jobs:8081", workers="localhost:50000", parallelism=4))
    portable, flink = said.view_as(PortableOptions), said.view_as(FlinkRunnerOptions)
    assert (portable.environment_type, portable.environment_config) == ("EXTERNAL", "localhost:50000")
    assert (flink.flink_master, flink.parallelism, flink.flink_version) == ("jobs:8081", 4, "2.2")


def test_without_a_pool_the_machines_of_a_cluster_begin_workers_by_themselves() -> None:
    portable = known(options(master="jobs:8081")).view_as(PortableOptions)
    assert (portable.environment_type, json.loads(portable.environment_config)) == ("PROCESS", {"command": "segue-worker"})


def test_a_flink_within_the_job_server_has_the_launcher_for_its_workers() -> None:
    said = known(options())
    assert said.view_as(PortableOptions).environment_type == "LOOPBACK"
    assert said.view_as(FlinkRunnerOptions).flink_master == "[local]"


def test_it_is_a_stream_that_keeps_state_near_its_workers() -> None:
    said = known(options())
    assert said.view_as(StandardOptions).streaming
    assert said.view_as(WorkerOptions).max_cache_memory_usage_mb == 32


@pytest.mark.parametrize(("every", "wanted"), [("2s", 2_000), ("10s", 10_000), (None, 5_000)])
def test_checkpoints_are_told_in_milliseconds(every: str | None, wanted: int) -> None:
    said = {} if every is None else {"checkpoint_every": every}
    assert options(**said)["checkpointing_interval"] == wanted


def test_where_checkpoints_lie_is_left_to_the_cluster_if_the_target_does_not_say() -> None:
    assert "state_backend_storage_path" not in options()
    assert options(checkpoints="s3://b/c")["state_backend_storage_path"] == "s3://b/c"
