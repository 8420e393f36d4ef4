"""Begin one worker, as the container contract of Beam asks a boot program to: `python -m runners.engines.boot --id=... ...`.

A pool begins a process like this for each worker that a runner wants; Flink's PROCESS environments begin it by themselves.
What is to be run comes with the job, and so do the options of the pipeline; the code of Segue is the one that is installed here.
"""

import argparse
import logging
import os
import secrets
import sys
from collections.abc import Mapping
from typing import Any

_ENDPOINTS = ("logging", "artifact", "control", "provision")
_PATIENCE_S = 60.0


def main(arguments: list[str] | None = None) -> None:
    """Ask the runner what the worker is to be, and be it until the runner is gone."""
    if not os.environ.get("SEGUE_DEBUG"):
        logging.disable()  # libraries speak of data, too; what fails the runner is told
    said = _read(arguments)
    os.environ.update(told(said, provision(said["provision"], said["id"])))
    from apache_beam.runners.worker import sdk_worker, sdk_worker_main

    from runners.engines.sampled import end_bundles_promptly

    end_bundles_promptly()
    # Each worker numbers its metrics from 1 on, and Prism takes those of all workers of a job for the same: it dies of it
    sdk_worker.SHORT_ID_CACHE._last_short_id = secrets.randbits(60)
    sdk_worker_main.main(sys.argv)


def _read(arguments: list[str] | None) -> dict[str, str]:
    parser = argparse.ArgumentParser(prog="python -m runners.engines.boot")
    parser.add_argument("--id", required=True)
    for name in _ENDPOINTS:
        parser.add_argument(f"--{name}_endpoint", dest=name, required=name == "provision", default="")
    known, _ = parser.parse_known_args(arguments)
    return vars(known)


def provision(endpoint: str, worker: str) -> Any:
    """What the runner says of a worker: where to report, and the options of the pipeline."""
    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2, beam_provision_api_pb2_grpc

    with grpc.insecure_channel(endpoint) as channel:
        service = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
        asked = beam_provision_api_pb2.GetProvisionInfoRequest()
        known_by = [("worker_id", worker)]
        return service.GetProvisionInfo(asked, metadata=known_by, timeout=_PATIENCE_S, wait_for_ready=True).info


def told(said: Mapping[str, str], info: Any) -> dict[str, str]:
    """The environment that Beam's worker reads. What the runner says goes before what the call says."""
    from google.protobuf import json_format

    reports = info.logging_endpoint.url or said["logging"]
    control = info.control_endpoint.url or said["control"]
    found = {
        "WORKER_ID": said["id"],
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
        "LOGGING_API_SERVICE_DESCRIPTOR": f'url: "{reports}"',
        "CONTROL_API_SERVICE_DESCRIPTOR": f'url: "{control}"',
    }
    if info.status_endpoint.url:
        found["STATUS_API_SERVICE_DESCRIPTOR"] = f'url: "{info.status_endpoint.url}"'
    return found


if __name__ == "__main__":
    main()
