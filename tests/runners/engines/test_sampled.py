"""A bundle ends when its work does."""

from apache_beam.runners.worker.statesampler import StateSampler
from apache_beam.utils.counters import CounterFactory

from runners.engines.sampled import PERIOD_MS, end_bundles_promptly


def test_no_bundle_waits_longer_than_the_period_for_the_thread_that_samples_it() -> None:
    end_bundles_promptly()
    assert StateSampler("stage", CounterFactory()).sampling_period_ms == PERIOD_MS
