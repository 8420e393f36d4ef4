"""The engine of a stream, as a target names it."""

from contextlib import AbstractContextManager
from typing import Any

import apache_beam as beam

from runners.engines import flink, prism
from runners.engines.portable import Job
from schemas.definitions.project import Target


def see_that_it_is_there(target: Target) -> None:
    """Errors: CallError where something is not installed; TryAgain where something does not answer."""
    if target.runner == "flink":
        flink.see_that_it_is_there(target.options)
    else:
        prism.see_that_it_is_there(_prism(target))


def running(pipeline: beam.PTransform, target: Target) -> AbstractContextManager[Job]:
    """Run a pipeline without an end; at the end nothing of it is left."""
    if target.runner == "flink":
        return flink.running(pipeline, target.options)
    return prism.running(pipeline, _prism(target))


def processes_of(target: Target) -> int:
    """Over how many worker processes the stages are spread by us; Flink spreads them by itself."""
    return int(_prism(target).get("processes", 1))


def readers_of(target: Target) -> int:
    """Over how many readers the partitions are spread."""
    if target.runner == "flink":
        return int(target.options["parallelism"])
    return int(_prism(target).get("readers", 1))


def _prism(target: Target) -> dict[str, Any]:
    """The options of Prism: a target that runs here has none."""
    return dict(target.options) if target.runner == "prism" else {}
