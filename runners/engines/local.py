"""The local runner: FnApiRunner, named, with everything in memory."""

import shutil
import threading
from collections.abc import Callable

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from runners.engines.raised import raised

OPTIONS = {
    "direct_num_workers": 1,
    "direct_running_mode": "in_memory",
    "max_cache_memory_usage_mb": 0,  # state lies in this process: a cache would hold it twice, and weigh it at each step
}


def run_locally(pipeline: beam.PTransform, poll: Callable[[], None]) -> None:
    """Run to the end on this machine, from nothing but itself; `poll` is called some times a second in the meantime.

    `run()` of the runner blocks, so it has a thread of its own. Errors are raised here.
    """
    job = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions.from_dictionary(OPTIONS))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            _ = job | pipeline
            job.run().wait_until_finish()
        except BaseException as error:  # noqa: BLE001  handed to the caller's thread
            failures.append(error)

    thread = threading.Thread(target=work, name="beam", daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            poll()
            thread.join(0.2)
    finally:
        shutil.rmtree(job.local_tempdir, ignore_errors=True)  # Beam removes its own only where it comes to the end
    if failures:
        raise raised(failures[0])
