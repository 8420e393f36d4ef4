"""How often Beam samples which step of a bundle runs.

It ends each bundle by waiting for the thread that does, which sleeps a fifth longer each time, up to 200 ms: about a tenth of
what the bundle took, in which nothing is done, and in which Prism spins. Nobody here asks where a bundle's time went.
"""

from apache_beam.runners.worker.statesampler import StateSampler

PERIOD_MS = 5


def end_bundles_promptly() -> None:
    """Let no bundle of this process wait for longer than the period. Beam has no option for it: it is a default of its class."""
    StateSampler.__init__.__defaults__ = (PERIOD_MS,)  # type: ignore[misc]
